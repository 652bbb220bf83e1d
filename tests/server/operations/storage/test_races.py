"""Requests that meet: one wins, the others learn of it, and nothing is left half done or lying about."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from threading import Barrier
from typing import Any

import pytest

from headrace.server.errors import OperationError

Storage = Any
PART = 5 << 20


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run actions in threads of their own that start together; return what each returned, or the code it failed with."""
    barrier = Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        barrier.wait(10)
        try:
            return action()
        except OperationError as error:
            return error.code or type(error).__name__

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def test_of_many_writers_to_one_key_one_is_last_and_its_bytes_are_whole(either: Storage) -> None:
    contents = [os.urandom(20_000) for _ in range(8)]
    answers = at_once(*(partial(either.put, "key", content) for content in contents))
    assert either.get("key") in contents
    assert either.head_object(bucket="bucket", key="key")["e_tag"] in {each["e_tag"] for each in answers}
    assert either.blobs() == 1
    assert either.staged() == 0


def test_of_many_first_writers_one_wins(either: Storage) -> None:
    answers = at_once(*(partial(either.put, "key", bytes([each]), if_none_match="*") for each in range(8)))
    assert sorted(each for each in answers if isinstance(each, str)) == ["PreconditionFailed"] * 7
    winner = next(place for place, each in enumerate(answers) if isinstance(each, dict))
    assert either.get("key") == bytes([winner])


def test_of_many_writers_to_one_version_one_wins(either: Storage) -> None:
    etag = either.put("key", b"old")["e_tag"]
    answers = at_once(*(partial(either.put, "key", bytes([each]), if_match=etag) for each in range(6)))
    assert answers.count("PreconditionFailed") == 5


def test_a_bucket_is_deleted_or_written_to(either: Storage) -> None:
    for number in range(4):
        name = f"race-{number}"
        either.create_bucket(bucket=name)
        deleted, put = at_once(
            partial(either.delete_bucket, bucket=name), partial(either.put, "key", b"x", bucket=name)
        )
        assert (deleted == "BucketNotEmpty") == isinstance(put, dict)
        assert put == "NoSuchBucket" or either.get("key", bucket=name) == b"x"


def test_an_upload_is_completed_or_aborted(either: Storage) -> None:
    for _ in range(4):
        upload = {"bucket": "bucket", "key": "parts"}
        upload["upload_id"] = either.create_multipart_upload(**upload)["upload_id"]
        etag = either.upload_part(**upload, part_number=1, body=either.body(b"only"))["e_tag"]
        named = {"parts": [{"part_number": 1, "e_tag": etag}]}
        completed, aborted = at_once(
            partial(either.complete_multipart_upload, **upload, multipart_upload=named),
            partial(either.abort_multipart_upload, **upload),
        )
        assert (completed == "NoSuchUpload") == (aborted is None)
        if aborted is not None:
            assert aborted == "NoSuchUpload"
            assert either.get("parts") == b"only"
            either.delete_object(bucket="bucket", key="parts")
        assert either.blobs() == 0


def test_a_listing_beside_writers_names_each_key_once(either: Storage) -> None:
    def write(writer: int) -> None:
        for each in range(10):
            either.put(f"{writer}/{each}", b"x")

    def read() -> list[list[str]]:
        pages = []
        for _ in range(10):
            listed = either.list_objects_v2(bucket="bucket").get("contents", [])
            pages.append([each["key"] for each in listed])
        return pages

    *_, pages = at_once(partial(write, 0), partial(write, 1), read)
    for earlier, later in pairwise(pages):
        assert later == sorted(set(later))
        assert set(earlier) <= set(later)


@pytest.mark.parametrize("last", ["overwritten", "deleted"])
def test_reading_parts_goes_on_while_the_object_goes(either: Storage, last: str) -> None:
    upload = {"bucket": "bucket", "key": "parts"}
    upload["upload_id"] = either.create_multipart_upload(**upload)["upload_id"]
    contents = [os.urandom(PART), os.urandom(PART), b"end"]
    named = [
        {
            "part_number": each,
            "e_tag": either.upload_part(**upload, part_number=each, body=either.body(content))["e_tag"],
        }
        for each, content in enumerate(contents, start=1)
    ]
    either.complete_multipart_upload(**upload, multipart_upload={"parts": named})
    reading = either.get_object(bucket="bucket", key="parts")["body"]
    left = either.get_object(bucket="bucket", key="parts")["body"]
    begun = next(reading)
    if last == "overwritten":
        either.put("parts", b"new")
    else:
        either.delete_object(bucket="bucket", key="parts")
    assert begun + b"".join(reading) == b"".join(contents)
    assert either.blobs() == 3 + (last == "overwritten"), "somebody may still read"
    left.close()
    assert either.blobs() == (last == "overwritten")


def test_an_object_whose_bytes_are_gone_or_cut_is_an_error(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    storage.put("key", b"0123456789")
    (path,) = (storage.folder / "objects").glob("??/*")
    os.truncate(path, 5)
    with pytest.raises(OperationError, match="shorter") as short:
        storage.get("key")
    assert short.value.status >= 500
    path.unlink()
    with pytest.raises(OperationError, match="gone"):
        storage.get("key")
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "arn:aws:s3:::bucket" in caplog.text
