import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace.server.clock import moment
from headrace.server.errors import Conflict, Denied, InvalidInput, NotFound, OperationError
from headrace.server.stores.objects import Staged


def test_what_is_put_is_got(storage: Any) -> None:
    answer = storage.put(
        "key",
        b"body",
        metadata={"Colour": "red"},
        content_type="text/plain",
        cache_control="no-store",
        tagging="a=b&c=",
    )
    assert answer["e_tag"] == f'"{hashlib.md5(b"body").hexdigest()}"'
    assert answer["server_side_encryption"] == "AES256"
    assert answer["checksum_type"] == "FULL_OBJECT"
    assert "version_id" not in answer
    found = storage.get_object(bucket="bucket", key="key")
    assert b"".join(found.pop("body")) == b"body"
    assert found == {
        "accept_ranges": "bytes",
        "last_modified": moment(storage.now),
        "e_tag": answer["e_tag"],
        "content_length": 4,
        "content_type": "text/plain",
        "cache_control": "no-store",
        "metadata": {"colour": "red"},
        "server_side_encryption": "AES256",
        "tag_count": 2,
    }
    assert found == storage.head_object(bucket="bucket", key="key")


@pytest.mark.parametrize(
    ("range", "content", "shown"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=-20", b"0123456789", "bytes 0-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
        ("bytes=3-1", b"0123456789", None),
        ("bytes=0-1,4-5", b"0123456789", None),
        ("lines=1-2", b"0123456789", None),
        ("bytes=-", b"0123456789", None),
    ],
)
def test_ranges(storage: Any, range: str, content: bytes, shown: str | None) -> None:
    storage.put("key", b"0123456789")
    found = storage.get_object(bucket="bucket", key="key", range=range)
    assert b"".join(found["body"]) == content
    assert found.get("content_range") == shown
    assert found["content_length"] == len(content)


@pytest.mark.parametrize(
    ("content", "range"), [(b"0123", "bytes=4-"), (b"", "bytes=0-1"), (b"", "bytes=-1"), (b"x", "bytes=-0")]
)
def test_a_range_beyond_the_end_is_refused(storage: Any, content: bytes, range: str) -> None:
    storage.put("key", content)
    with pytest.raises(OperationError) as caught:
        storage.get("key", range=range)
    assert (caught.value.code, caught.value.status) == ("InvalidRange", 416)
    assert caught.value.details == {"RangeRequested": range, "ActualObjectSize": len(content)}


def test_conditions_of_reads(storage: Any) -> None:
    etag = storage.put("key", b"body")["e_tag"]
    now = moment(storage.now)
    assert storage.get("key", if_match=etag, if_unmodified_since=now - timedelta(days=1)) == b"body"
    assert storage.get("key", if_match='"x", *') == b"body"
    assert storage.get("key", if_none_match='"other"', if_modified_since=now + timedelta(days=1)) == b"body"
    for given, code, status in [
        ({"if_match": '"other"'}, "PreconditionFailed", 412),
        ({"if_unmodified_since": now - timedelta(seconds=1)}, "PreconditionFailed", 412),
        ({"if_none_match": etag}, "NotModified", 304),
        ({"if_modified_since": now}, "NotModified", 304),
    ]:
        with pytest.raises(OperationError) as caught:
            storage.get("key", **given)
        assert (caught.value.code, caught.value.status) == (code, status)
    assert caught.value.details["headers"]["ETag"] == etag


def test_conditions_of_writes(either: Any) -> None:
    with pytest.raises(NotFound) as missing:
        either.put("key", b"", if_match='"x"')
    assert missing.value.code == "NoSuchKey"
    etag = either.put("key", b"1", if_none_match="*")["e_tag"]
    for given in ({"if_none_match": "*"}, {"if_match": '"other"'}):
        with pytest.raises(Conflict) as caught:
            either.put("key", b"2", **given)
        assert (caught.value.code, caught.value.status) == ("PreconditionFailed", 412)
    either.put("key", b"2", if_match=etag)
    assert either.get("key") == b"2"


def test_a_replaced_blob_is_deleted_after_the_commit_only(storage: Any) -> None:
    storage.put("key", b"1")
    blobs = storage.objects.blobs
    with pytest.raises(InvalidInput):
        storage.put("key", b"2", metadata={"x": "y" * 2050})
    assert (storage.get("key"), len(list(blobs()))) == (b"1", 1)
    storage.put("key", b"3")
    assert (storage.get("key"), len(list(blobs()))) == (b"3", 1)


def test_a_reader_gets_the_successor_of_a_blob_that_was_replaced(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.put("key", b"old")
    read, seen = storage.objects.read, []

    def replaced_first(*arguments: Any) -> Any:
        if not seen:
            seen.append(arguments)
            storage.objects.delete(arguments[0])
            assert list(storage.objects.blobs()) == []
            with monkeypatch.context() as patch:
                patch.setattr(storage.objects, "read", read)
                return read(*arguments)
        return read(*arguments)

    def get(context: Any) -> bytes:
        from headrace.server.operations.storage.objects import get_object

        return b"".join(get_object(context, bucket="bucket", key="key")["body"])

    assert storage.run(get) == b"old"
    monkeypatch.setattr(storage.objects, "read", replaced_first)
    with pytest.raises(OperationError, match="are gone"):
        storage.get("key")


def test_what_is_too_long_or_too_large_is_refused(storage: Any) -> None:
    for given, code in [
        ({"key": "é" * 513}, "KeyTooLongError"),
        ({"key": "k", "metadata": {"a": "b" * 2048}}, "MetadataTooLarge"),
        ({"key": "k", "storage_class": "CHEAP"}, "InvalidStorageClass"),
        ({"key": "k", "website_redirect_location": "ftp://x"}, "InvalidArgument"),
        ({"key": "k", "tagging": "&".join(f"{n}=v" for n in range(11))}, "BadRequest"),
        ({"key": "k", "tagging": "a=1&a=2"}, "InvalidTag"),
        ({"key": "k", "tagging": f"{'k' * 129}=1"}, "InvalidTag"),
        ({"key": "\ud800"}, "InvalidURI"),
    ]:
        with pytest.raises(InvalidInput) as caught:
            storage.put_object(bucket="bucket", body=None, **given)
        assert caught.value.code == code
    storage.put("é" * 512)
    vast = Staged("0" * 32, 5 * 1024**3 + 1, {"md5": b""})
    with pytest.raises(InvalidInput) as caught:
        storage.put_object(bucket="bucket", key="k", body=vast)
    assert caught.value.code == "EntityTooLarge"


def test_what_is_missing(storage: Any) -> None:
    for call, code in [
        (lambda: storage.get("key"), "NoSuchKey"),
        (lambda: storage.get("key", version_id="x"), "NoSuchVersion"),
        (lambda: storage.get("key", bucket="nowhere"), "NoSuchBucket"),
        (lambda: storage.put("key", bucket="nowhere"), "NoSuchBucket"),
    ]:
        with pytest.raises(NotFound) as caught:
            call()
        assert caught.value.code == code
    storage.denied.add("s3:ListBucket")
    with pytest.raises(Denied, match="ListBucket"):
        storage.get("key")


def test_the_expected_owner_is_checked(storage: Any) -> None:
    storage.put("key", b"x", expected_bucket_owner="111111111111")
    for call in (storage.get, storage.put):
        with pytest.raises(Denied) as caught:
            call("key", expected_bucket_owner="999999999999")
        assert caught.value.code == "AccessDenied"


def test_headers_of_answers_can_be_overridden(storage: Any) -> None:
    storage.put("key", content_type="text/plain")
    when = datetime(2030, 1, 1, tzinfo=UTC)
    found = storage.head_object(bucket="bucket", key="key", response_content_type="a/b", response_expires=when)
    assert (found["content_type"], found["expires"]) == ("a/b", when)


def test_checksums_are_told_on_demand(storage: Any) -> None:
    storage.put("key", b"123456789")
    found = storage.head_object(bucket="bucket", key="key", checksum_mode="ENABLED")
    assert found["checksum_crc64_nvme"] == "rosUhgp5mIg="
    sent = storage.body(b"123456789")
    value = base64.b64encode(sent.digests["sha256"]).decode()
    storage.put_object(bucket="bucket", key="key", body=Staged(sent.blob, 9, sent.digests, ("SHA256", value)))
    found = storage.get_object(bucket="bucket", key="key", checksum_mode="ENABLED", range="bytes=0-1")
    assert "checksum_sha256" not in found
    attributes = storage.get_object_attributes(
        bucket="bucket", key="key", object_attributes=["Checksum", "ObjectSize", "ETag", "StorageClass", "ObjectParts"]
    )
    assert attributes["checksum"] == {"checksum_sha256": value, "checksum_type": "FULL_OBJECT"}
    assert (attributes["object_size"], attributes["storage_class"]) == (9, "STANDARD")
    assert "object_parts" not in attributes


def test_a_customers_key_is_needed_and_never_stored(storage: Any) -> None:
    def key(byte: bytes) -> dict[str, str]:
        return {
            "sse_customer_algorithm": "AES256",
            "sse_customer_key": base64.b64encode(byte * 32).decode(),
            "sse_customer_key_md5": base64.b64encode(hashlib.md5(byte * 32).digest()).decode(),
        }

    content = bytes(range(256)) * 5000
    answer = storage.put("key", content, **key(b"k"))
    assert answer["e_tag"] == f'"{hashlib.md5(content).hexdigest()}"'
    assert storage.get("key", **key(b"k")) == content
    assert storage.get("key", range="bytes=1000001-1000037", **key(b"k")) == content[1000001:1000038]
    (blob, _), *others = storage.objects.blobs()
    assert not others
    assert content[:64] not in b"".join(storage.objects.read(blob))
    for given, code in [
        ({}, "InvalidRequest"),
        (key(b"x"), "AccessDenied"),
        (key(b"k") | {"sse_customer_key_md5": "AAAA"}, "InvalidArgument"),
        (key(b"k") | {"sse_customer_algorithm": "DES"}, "InvalidArgument"),
        ({"sse_customer_algorithm": "AES256"}, "InvalidArgument"),
    ]:
        with pytest.raises(OperationError) as caught:
            storage.get("key", **given)
        assert caught.value.code == code
    storage.put("plain", b"x")
    with pytest.raises(InvalidInput, match="not applicable"):
        storage.get("plain", **key(b"k"))
    database = (storage.folder / "headrace.db").read_bytes() + (storage.folder / "headrace.db-wal").read_bytes()
    assert base64.b64encode(b"k" * 32) not in database
    assert b"k" * 32 not in database
