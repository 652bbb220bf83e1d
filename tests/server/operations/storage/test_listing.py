import random
from typing import Any

import pytest
from sqlalchemy import event, insert

from headrace.server.errors import InvalidInput
from headrace.server.stores.metadata.tables.objects import OBJECTS

KEYS = ["a/1", "a/2", "a/b/1", "b", "c/1", "d", "e/", "e/x", "z\U0010ffff/1", "\u00e9", "\uffff", "\U0001f600"]


def listed(storage: Any, **given: Any) -> list[str]:
    """Return all entries of a listing, page by page, in the order of their bytes."""
    entries: list[str] = []
    token = None
    while True:
        page = storage.list_objects_v2(bucket="bucket", continuation_token=token, **given)
        found = [each["key"] for each in page.get("contents", [])]
        found += [each["prefix"] for each in page.get("common_prefixes", [])]
        assert page["key_count"] == len(found) <= page["max_keys"]
        entries += sorted(found, key=str.encode)
        token = page.get("next_continuation_token")
        assert (token is not None) == page["is_truncated"]
        if token is None:
            return entries


def expected(keys: list[str], prefix: str = "", delimiter: str = "") -> list[str]:
    found = set()
    for key in keys:
        if key.startswith(prefix):
            head, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            found.add(prefix + head + cut if cut else key)
    return sorted(found, key=str.encode)


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_every_page_size_lists_the_same(either: Any, size: int) -> None:
    for key in random.Random(7).sample(KEYS, len(KEYS)):
        either.put(key)
    for prefix in ("", "a", "a/", "e/", "z", "nothing"):
        for delimiter in ("", "/", "1"):
            found = listed(either, prefix=prefix, delimiter=delimiter, max_keys=size)
            assert found == expected(KEYS, prefix, delimiter), (prefix, delimiter)


def test_keys_are_in_the_order_of_their_bytes(either: Any) -> None:
    keys = ["b", "B", "a", "\u00e9", "e\u0301", "\uffff", "\U0001f600", "a\0b", "%"]
    for key in keys:
        either.put(key)
    assert listed(either) == sorted(keys, key=str.encode)


def test_common_prefixes_are_skipped_over_not_read(storage: Any) -> None:
    def many(context: Any) -> None:
        row = {"bucket": "bucket", "version": "null", "latest": True, "marker": False, "blob": "", "size": 0}
        row |= {"etag": "", "storage_class": "STANDARD", "owner": "", "modified": 0, "record": "{}"}
        keys = [f"{folder}/{number:04}".encode() for folder in range(10) for number in range(2000)]
        context.connection.execute(insert(OBJECTS), [row | {"key": key} for key in keys])

    storage.run(many)
    read: list[int] = []

    def count(*arguments: Any) -> None:
        if "FROM objects" in arguments[2]:
            read.append(int(arguments[3][-2]))

    event.listen(storage.metadata.engine, "after_cursor_execute", count)
    page = storage.list_objects_v2(bucket="bucket", delimiter="/")
    event.remove(storage.metadata.engine, "after_cursor_execute", count)
    assert [each["prefix"] for each in page["common_prefixes"]] == [f"{n}/" for n in range(10)]
    assert len(read) == 11, "one look for each prefix, and one that finds no more"
    assert sum(read) < 1000, "rows that were asked for, of 20,000"


def test_the_first_version_pages_by_marker(storage: Any) -> None:
    for key in KEYS:
        storage.put(key)
    page = storage.list_objects(bucket="bucket", delimiter="/", max_keys=1)
    assert page["common_prefixes"] == [{"prefix": "a/"}]
    assert page["next_marker"] == "a/"
    page = storage.list_objects(bucket="bucket", delimiter="/", max_keys=2, marker="a/")
    assert [each["key"] for each in page["contents"]] == ["b"]
    assert page["common_prefixes"] == [{"prefix": "c/"}]
    page = storage.list_objects(bucket="bucket", max_keys=1, marker="a/")
    assert [each["key"] for each in page["contents"]] == ["a/1"]
    assert page["is_truncated"]
    assert "next_marker" not in page


def test_start_after_begins_where_it_says(storage: Any) -> None:
    for key in ("b", "c/1", "c/2", "d"):
        storage.put(key)
    assert listed(storage, start_after="c") == ["c/1", "c/2", "d"]
    assert listed(storage, start_after="c/1", delimiter="/") == ["c/", "d"]
    assert listed(storage, start_after="c/", delimiter="/") == ["d"]
    assert listed(storage, start_after="e") == []


def test_no_keys_are_no_keys(storage: Any) -> None:
    storage.put("a")
    page = storage.list_objects_v2(bucket="bucket", max_keys=0)
    assert (page["key_count"], page["is_truncated"], page["max_keys"]) == (0, False, 0)
    assert "contents" not in page


def test_url_encoding_covers_keys_prefixes_and_delimiters(storage: Any) -> None:
    storage.put("a b/c+d/e")
    page = storage.list_objects_v2(bucket="bucket", delimiter="/", prefix="a b/", encoding_type="url")
    assert page["prefix"] == "a%20b/"
    assert page["common_prefixes"] == [{"prefix": "a%20b/c%2Bd/"}]
    with pytest.raises(InvalidInput, match="Invalid Encoding Method"):
        storage.list_objects(bucket="bucket", encoding_type="base64")


def test_owners_are_told_on_demand(storage: Any) -> None:
    storage.put("a")
    assert "owner" not in storage.list_objects_v2(bucket="bucket")["contents"][0]
    assert "owner" in storage.list_objects_v2(bucket="bucket", fetch_owner=True)["contents"][0]
    assert "owner" in storage.list_objects(bucket="bucket")["contents"][0]


def test_a_negative_size_is_refused(storage: Any) -> None:
    with pytest.raises(InvalidInput, match="between 0 and 2147483647"):
        storage.list_objects(bucket="bucket", max_keys=-1)


def test_versions_page_within_a_key(either: Any) -> None:
    either.put("a")
    either.put_bucket_versioning(bucket="bucket", versioning_configuration={"status": "Enabled"})
    ids = ["null"] + [either.put("b" if n > 2 else "a")["version_id"] for n in range(6)]
    marker = either.delete_object(bucket="bucket", key="a")["version_id"]
    found, at = [], {}
    while True:
        page = either.list_object_versions(bucket="bucket", max_keys=2, **at)
        assert len(page.get("versions", [])) + len(page.get("delete_markers", [])) <= 2
        found += [each["version_id"] for each in page.get("delete_markers", [])]
        found += [each["version_id"] for each in page.get("versions", [])]
        if not page["is_truncated"]:
            break
        at = {"key_marker": page["next_key_marker"], "version_id_marker": page["next_version_id_marker"]}
    assert found == [marker, *reversed(ids[:4]), *reversed(ids[4:])]


def test_uploads_are_listed_with_prefixes(either: Any) -> None:
    for key in ("a/1", "a/2", "b", "b"):
        either.create_multipart_upload(bucket="bucket", key=key)
    page = either.list_multipart_uploads(bucket="bucket", delimiter="/")
    assert page["common_prefixes"] == [{"prefix": "a/"}]
    assert [each["key"] for each in page["uploads"]] == ["b", "b"]
    first = either.list_multipart_uploads(bucket="bucket", max_uploads=3)
    assert first["is_truncated"]
    rest = either.list_multipart_uploads(
        bucket="bucket", key_marker=first["next_key_marker"], upload_id_marker=first["next_upload_id_marker"]
    )
    assert len(rest["uploads"]) == 1
    assert rest["uploads"][0]["upload_id"] not in [each["upload_id"] for each in first["uploads"]]
