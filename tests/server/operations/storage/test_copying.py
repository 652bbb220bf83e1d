from datetime import timedelta
from typing import Any

import pytest

from headrace.server.clock import moment
from headrace.server.errors import Conflict, InvalidInput, NotFound


def copy(storage: Any, key: str = "copy", source: str = "bucket/key", **given: Any) -> dict[str, Any]:
    return storage.copy_object(bucket="bucket", key=key, copy_source=source, **given)


def test_a_copy_shares_its_bytes_and_outlives_its_source(either: Any) -> None:
    either.put("key", b"body", metadata={"a": "b"}, content_type="x/y", tagging="t=1")
    answer = copy(either)
    assert answer["copy_object_result"]["e_tag"] == either.head_object(bucket="bucket", key="key")["e_tag"]
    assert either.blobs() == 1
    either.delete_object(bucket="bucket", key="key")
    found = either.get_object(bucket="bucket", key="copy")
    assert b"".join(found["body"]) == b"body"
    assert (found["metadata"], found["content_type"], found["tag_count"]) == ({"a": "b"}, "x/y", 1)
    either.delete_object(bucket="bucket", key="copy")
    assert either.blobs() == 0


def test_directives_replace(storage: Any) -> None:
    storage.put("key", b"x", metadata={"a": "b"}, content_type="x/y", tagging="t=1")
    copy(storage, metadata_directive="REPLACE", metadata={"n": "m"}, tagging_directive="REPLACE", tagging="u=2&v=3")
    found = storage.head_object(bucket="bucket", key="copy")
    assert (found["metadata"], found["content_type"], found["tag_count"]) == ({"n": "m"}, "binary/octet-stream", 2)


def test_onto_itself_only_with_a_change(storage: Any) -> None:
    storage.put("key", b"x")
    with pytest.raises(InvalidInput, match="copy an object to itself without changing"):
        copy(storage, "key")
    copy(storage, "key", metadata_directive="REPLACE", metadata={"n": "m"})
    copy(storage, "key", storage_class="STANDARD_IA")
    assert storage.get("key") == b"x"
    assert storage.blobs() == 1


def test_sources_in_every_spelling(storage: Any) -> None:
    storage.put_bucket_versioning(bucket="bucket", versioning_configuration={"status": "Enabled"})
    version = storage.put("a b/ü+?", b"old")["version_id"]
    storage.put("a b/ü+?", b"new")
    for source, content in [
        ("/bucket/a%20b/%C3%BC%2B%3F", b"new"),
        ("bucket/a b/ü+%3F", b"new"),
        (f"bucket/a%20b/%C3%BC%2B%3F?versionId={version}", b"old"),
    ]:
        answer = copy(storage, source=source)
        assert storage.get("copy") == content
    assert answer["copy_source_version_id"] == version
    for source in ("bucket", "bucket/", "/"):
        with pytest.raises(InvalidInput, match="must mention the source bucket and key"):
            copy(storage, source=source)


def test_conditions_on_the_source(storage: Any) -> None:
    etag = storage.put("key", b"x")["e_tag"]
    now = moment(storage.now)
    for given in (
        {"copy_source_if_match": '"x"'},
        {"copy_source_if_none_match": etag},
        {"copy_source_if_modified_since": now},
        {"copy_source_if_unmodified_since": now - timedelta(days=1)},
    ):
        with pytest.raises(Conflict) as caught:
            copy(storage, **given)
        assert caught.value.status == 412
    copy(storage, copy_source_if_match=etag, copy_source_if_unmodified_since=now - timedelta(days=1))


def test_a_missing_source(storage: Any) -> None:
    with pytest.raises(NotFound) as caught:
        copy(storage)
    assert caught.value.code == "NoSuchKey"
    with pytest.raises(NotFound) as caught:
        copy(storage, source="nowhere/key")
    assert caught.value.code == "NoSuchBucket"
