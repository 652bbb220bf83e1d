import base64
import hashlib
import zlib
from typing import Any

import pytest

from headrace.server.errors import Conflict, InvalidInput, NotFound, OperationError
from headrace.server.stores.objects import Staged

FIVE = 5 << 20


def begin(storage: Any, **given: Any) -> str:
    return storage.create_multipart_upload(bucket="bucket", key="key", **given)["upload_id"]


def send(storage: Any, upload: str, number: int, content: bytes, **given: Any) -> dict[str, Any]:
    staged = storage.body(content)
    if given.pop("crc32", False):
        value = base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
        staged = Staged(staged.blob, staged.size, staged.digests, ("crc32", value))
    answer = storage.upload_part(bucket="bucket", key="key", upload_id=upload, part_number=number, body=staged, **given)
    return {"part_number": number, "e_tag": answer["e_tag"]}


def complete(storage: Any, upload: str, parts: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    return storage.complete_multipart_upload(
        bucket="bucket", key="key", upload_id=upload, multipart_upload={"parts": parts}, **given
    )


def test_parts_become_one_object(either: Any) -> None:
    upload = begin(either, metadata={"a": "b"}, content_type="x/y", tagging="t=1")
    contents = [b"a" * FIVE, b"b" * (FIVE + 7), b"tail"]
    parts = [send(either, upload, number, body) for number, body in zip((1, 5, 10_000), contents, strict=True)]
    send(either, upload, 7, b"unused")
    assert "contents" not in either.list_objects_v2(bucket="bucket")
    answer = complete(either, upload, parts)
    whole = b"".join(contents)
    md5s = b"".join(hashlib.md5(each).digest() for each in contents)
    assert answer["e_tag"] == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    assert answer["checksum_type"] == "FULL_OBJECT"
    assert complete(either, upload, parts) == answer
    assert either.get("key") == whole
    edge = f"bytes={FIVE - 3}-{2 * FIVE + 8}"
    assert either.get("key", range=edge) == whole[FIVE - 3 : 2 * FIVE + 9]
    found = either.get_object(bucket="bucket", key="key", part_number=2)
    assert (found["parts_count"], found["content_length"], found["metadata"]) == (3, FIVE + 7, {"a": "b"})
    assert b"".join(found["body"]) == contents[1]
    assert either.blobs() == 3, "the part that was not named is gone"
    with pytest.raises(OperationError) as caught:
        either.get("key", part_number=4)
    assert (caught.value.code, caught.value.status) == ("InvalidPartNumber", 416)
    either.delete_object(bucket="bucket", key="key")
    assert either.blobs() == 0


def test_a_part_sent_again_replaces_the_first(storage: Any) -> None:
    upload = begin(storage)
    first = send(storage, upload, 1, b"first")
    again = send(storage, upload, 1, b"again")
    assert storage.blobs() == 1
    with pytest.raises(InvalidInput) as caught:
        complete(storage, upload, [first])
    assert caught.value.code == "InvalidPart"
    complete(storage, upload, [again])
    assert storage.get("key") == b"again"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda parts: parts[::-1], "InvalidPartOrder"),
        (lambda parts: [parts[0], parts[0]], "InvalidPartOrder"),
        (lambda parts: [*parts, {"part_number": 9, "e_tag": '"x"'}], "InvalidPart"),
        (lambda parts: [], "MalformedXML"),
        (lambda parts: [{"e_tag": parts[0]["e_tag"]}], "MalformedXML"),
        (lambda parts: parts, "EntityTooSmall"),
    ],
)
def test_wrong_lists_of_parts_are_refused(storage: Any, change: Any, code: str) -> None:
    upload = begin(storage)
    parts = [send(storage, upload, number, b"small") for number in (1, 2)]
    with pytest.raises(InvalidInput) as caught:
        complete(storage, upload, change(parts))
    assert caught.value.code == code
    assert len(storage.list_parts(bucket="bucket", key="key", upload_id=upload)["parts"]) == 2


def test_checksums_of_parts_make_those_of_the_object(storage: Any) -> None:
    contents = [b"a" * FIVE, b"b"]
    upload = begin(storage, checksum_algorithm="CRC32", checksum_type="FULL_OBJECT")
    parts = [send(storage, upload, number, body, crc32=True) for number, body in enumerate(contents, 1)]
    whole = base64.b64encode(zlib.crc32(b"".join(contents)).to_bytes(4, "big")).decode()
    with pytest.raises(InvalidInput) as caught:
        complete(storage, upload, parts, checksum_crc32="AAAAAA==")
    assert caught.value.code == "BadDigest"
    assert complete(storage, upload, parts, checksum_crc32=whole)["checksum_crc32"] == whole
    upload = begin(storage, checksum_algorithm="SHA256")
    parts = [send(storage, upload, number, body) for number, body in enumerate(contents, 1)]
    answer = complete(storage, upload, parts)
    digest = hashlib.sha256(b"".join(hashlib.sha256(each).digest() for each in contents)).digest()
    assert answer["checksum_sha256"] == f"{base64.b64encode(digest).decode()}-2"
    assert answer["checksum_type"] == "COMPOSITE"
    found = storage.get_object_attributes(bucket="bucket", key="key", object_attributes=["ObjectParts"], max_parts=1)[
        "object_parts"
    ]
    assert (found["total_parts_count"], found["is_truncated"], found["next_part_number_marker"]) == (2, True, 1)
    assert found["parts"][0]["size"] == FIVE


def test_kinds_of_checksums_that_can_not_be(storage: Any) -> None:
    for algorithm, kind in (("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")):
        with pytest.raises(InvalidInput, match="checksum type cannot be used"):
            begin(storage, checksum_algorithm=algorithm, checksum_type=kind)
    upload = begin(storage, checksum_algorithm="SHA256")
    with pytest.raises(InvalidInput, match="Checksum Type mismatch"):
        send(storage, upload, 1, b"x", crc32=True)


def test_an_upload_that_is_given_up_leaves_nothing(either: Any) -> None:
    upload = begin(either)
    send(either, upload, 1, b"x")
    either.abort_multipart_upload(bucket="bucket", key="key", upload_id=upload)
    assert either.blobs() == 0
    for call in (
        lambda: send(either, upload, 2, b"y"),
        lambda: complete(either, upload, [{"part_number": 1, "e_tag": "x"}]),
        lambda: either.list_parts(bucket="bucket", key="key", upload_id=upload),
        lambda: either.abort_multipart_upload(bucket="bucket", key="key", upload_id=upload),
        lambda: either.list_parts(bucket="bucket", key="other", upload_id=begin(either)),
    ):
        with pytest.raises(NotFound) as caught:
            call()
        assert caught.value.code == "NoSuchUpload"


def test_parts_are_listed_page_by_page(storage: Any) -> None:
    upload = begin(storage)
    for number in (1, 2, 3):
        send(storage, upload, number, b"x" * number)
    page = storage.list_parts(bucket="bucket", key="key", upload_id=upload, max_parts=2)
    assert [each["size"] for each in page["parts"]] == [1, 2]
    assert (page["is_truncated"], page["next_part_number_marker"]) == (True, 2)
    page = storage.list_parts(bucket="bucket", key="key", upload_id=upload, part_number_marker=2)
    assert [each["part_number"] for each in page["parts"]] == [3]
    assert not page["is_truncated"]


def test_completing_can_be_conditional(storage: Any) -> None:
    storage.put("key", b"there")
    upload = begin(storage)
    parts = [send(storage, upload, 1, b"x")]
    with pytest.raises(Conflict):
        complete(storage, upload, parts, if_none_match="*")
    complete(storage, upload, parts, if_match=f'"{hashlib.md5(b"there").hexdigest()}"')
    assert storage.get("key") == b"x"


def test_copied_parts(storage: Any) -> None:
    storage.put("source key", bytes(range(100)))
    upload = begin(storage)

    def copy(range: str | None) -> dict[str, Any]:
        return storage.upload_part_copy(
            bucket="bucket", key="key", upload_id=upload, part_number=1, copy_source="bucket/source%20key",
            copy_source_range=range,
        )  # fmt: skip

    answer = copy("bytes=10-19")["copy_part_result"]
    complete(storage, upload, [{"part_number": 1, "e_tag": answer["e_tag"]}])
    assert storage.get("key") == bytes(range(10, 20))
    upload = begin(storage)
    for wrong, code in (
        ("bytes=5-", "InvalidArgument"),
        ("bytes=9-100", "InvalidArgument"),
        ("bytes=100-200", "InvalidRange"),
    ):
        with pytest.raises(OperationError) as caught:
            copy(wrong)
        assert caught.value.code == code
    copy(None)
