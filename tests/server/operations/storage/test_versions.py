from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headrace.server.errors import Conflict, NotFound, OperationError


def enable(storage: Any, status: str = "Enabled") -> None:
    storage.put_bucket_versioning(bucket="bucket", versioning_configuration={"status": status})


def test_versions_stay_until_each_is_deleted(either: Any) -> None:
    enable(either)
    first, second = (either.put("key", body)["version_id"] for body in (b"1", b"2"))
    assert (either.get("key"), either.get("key", version_id=first)) == (b"2", b"1")
    marker = either.delete_object(bucket="bucket", key="key")
    assert marker["delete_marker"]
    with pytest.raises(NotFound) as gone:
        either.get("key")
    assert gone.value.details["headers"] == {"x-amz-delete-marker": "true", "x-amz-version-id": marker["version_id"]}
    with pytest.raises(OperationError) as refused:
        either.get("key", version_id=marker["version_id"])
    assert (refused.value.code, refused.value.status) == ("MethodNotAllowed", 405)
    removed = either.delete_object(bucket="bucket", key="key", version_id=marker["version_id"])
    assert removed == {"version_id": marker["version_id"], "delete_marker": True}
    assert either.get("key") == b"2"
    either.delete_object(bucket="bucket", key="key", version_id=second)
    assert either.get("key") == b"1"
    either.delete_object(bucket="bucket", key="key", version_id=first)
    assert either.blobs() == 0
    either.delete_bucket(bucket="bucket")


def test_the_null_version_is_replaced_once_versioning_is_suspended(storage: Any) -> None:
    storage.put("key", b"before")
    enable(storage)
    kept = storage.put("key", b"kept")["version_id"]
    assert storage.get("key", version_id="null") == b"before"
    enable(storage, "Suspended")
    assert "version_id" not in storage.put("key", b"null")
    assert storage.get("key", version_id="null") == b"null"
    assert storage.get("key", version_id=kept) == b"kept"
    assert storage.delete_object(bucket="bucket", key="key") == {"delete_marker": True, "version_id": "null"}
    listed = storage.list_object_versions(bucket="bucket")
    assert [each["version_id"] for each in listed["versions"]] == [kept]
    assert [each["is_latest"] for each in listed["delete_markers"]] == [True]


def test_deleting_without_versioning_leaves_nothing(storage: Any) -> None:
    storage.put("key", b"x")
    assert storage.delete_object(bucket="bucket", key="key") == {}
    assert storage.delete_object(bucket="bucket", key="key") == {}
    assert storage.blobs() == 0
    assert "versions" not in storage.list_object_versions(bucket="bucket")


def test_many_are_deleted_with_an_answer_each(storage: Any) -> None:
    for key in ("a", "b"):
        storage.put(key)
    storage.denied.add("s3:DeleteObjectVersion")
    answer = storage.delete_objects(
        bucket="bucket",
        delete={
            "objects": [{"key": "a"}, {"key": "absent"}, {"key": "b", "version_id": "null"}, {"key": "b", "e_tag": "x"}]
        },
    )
    assert answer["deleted"] == [{"key": "a"}, {"key": "absent"}]
    assert [each["code"] for each in answer["errors"]] == ["AccessDenied", "PreconditionFailed"]
    assert storage.delete_objects(bucket="bucket", delete={"objects": [{"key": "b"}], "quiet": True}) == {}
    for count in (0, 1001):
        with pytest.raises(OperationError) as caught:
            storage.delete_objects(bucket="bucket", delete={"objects": [{"key": "x"}] * count})
        assert caught.value.code == "MalformedXML"


def test_conditional_deletions(storage: Any) -> None:
    etag = storage.put("key", b"12")["e_tag"]
    for given in ({"if_match": '"x"'}, {"if_match_size": 3}):
        with pytest.raises(Conflict) as caught:
            storage.delete_object(bucket="bucket", key="key", **given)
        assert caught.value.status == 412
    storage.delete_object(bucket="bucket", key="key", if_match=etag, if_match_size=2)
    with pytest.raises(NotFound):
        storage.delete_object(bucket="bucket", key="key", if_match="*")


def test_writers_of_one_key_take_turns(either: Any) -> None:
    enable(either)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: either.put("key", str(n).encode()), range(24)))
    versions = either.list_object_versions(bucket="bucket")["versions"]
    assert len(versions) == 24
    assert [each["is_latest"] for each in versions] == [True] + [False] * 23


def test_only_one_of_many_first_writers_wins(either: Any) -> None:
    def write(number: int) -> bool:
        try:
            either.put("key", str(number).encode(), if_none_match="*")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(16))) == 1
