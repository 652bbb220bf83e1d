import base64
import errno
import hashlib
import os
import zlib
from pathlib import Path

import pytest

from headrace.server.errors import Unavailable
from headrace.server.stores.objects import BLOCK, FileStore, ObjectStore, RemoteStore, open_object_store

HOUR = 3_600_000


@pytest.fixture(params=["files", "memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "files":
        return FileStore(tmp_path)
    if request.param == "memory":
        return open_object_store("memory://", tmp_path)
    from obstore.store import LocalStore

    return RemoteStore(LocalStore(tmp_path))


def put(store: ObjectStore, *blocks: bytes) -> str:
    staging = store.stage()
    for block in blocks:
        staging.write(block)
    return store.commit(staging.finish())


class TestContract:
    def test_what_is_written_is_read(self, store: ObjectStore) -> None:
        blob = put(store, b"abc", b"", b"def")
        assert b"".join(store.read(blob)) == b"abcdef"
        assert [each for each, _ in store.blobs()] == [blob]

    def test_digests_are_those_of_the_whole(self, store: ObjectStore) -> None:
        blocks = [os.urandom(BLOCK), os.urandom(300), os.urandom(BLOCK // 2)]
        staging = store.stage(("sha256", "crc32", "sha1"))
        for block in blocks:
            staging.write(block)
        staged = staging.finish()
        whole = b"".join(blocks)
        assert staged.size == len(whole)
        assert staged.digests == {
            "md5": hashlib.md5(whole).digest(),
            "sha256": hashlib.sha256(whole).digest(),
            "sha1": hashlib.sha1(whole).digest(),
            "crc32": zlib.crc32(whole).to_bytes(4, "big"),
        }

    def test_ranges(self, store: ObjectStore) -> None:
        blob = put(store, bytes(range(100)))
        assert b"".join(store.read(blob, 10, 5)) == bytes(range(10, 15))
        assert b"".join(store.read(blob, 95)) == bytes(range(95, 100))
        assert b"".join(store.read(blob, 0, 1)) == b"\0"
        assert b"".join(store.read(blob, 50, 0)) == b""

    def test_blocks_are_at_most_a_mebibyte(self, store: ObjectStore) -> None:
        content = os.urandom(3 * BLOCK + 17)
        blocks = list(store.read(put(store, content)))
        assert max(map(len, blocks)) <= BLOCK
        assert b"".join(blocks) == content

    def test_an_empty_blob(self, store: ObjectStore) -> None:
        assert b"".join(store.read(put(store))) == b""

    def test_a_staged_blob_can_be_read(self, store: ObjectStore) -> None:
        staging = store.stage()
        staging.write(b"early")
        assert b"".join(store.read(staging.finish().blob)) == b"early"

    def test_what_is_discarded_or_aborted_is_gone(self, store: ObjectStore) -> None:
        discarded, aborted = store.stage(), store.stage()
        discarded.write(b"x")
        aborted.write(b"y")
        store.discard(discarded.finish())
        aborted.abort()
        aborted.abort()
        assert list(store.blobs()) == []

    def test_what_is_deleted_is_gone_and_says_so(self, store: ObjectStore) -> None:
        blob = put(store, b"x")
        store.delete(blob)
        store.delete(blob)
        assert list(store.blobs()) == []
        with pytest.raises(Unavailable, match=f"{blob} are gone"):
            b"".join(store.read(blob))

    def test_what_is_held_is_deleted_after_its_last_reader(self, store: ObjectStore) -> None:
        blob, other = put(store, b"held"), put(store, b"free")
        first, second = store.hold([blob]), store.hold([blob, other])
        store.delete(blob)
        first()
        assert b"".join(store.read(blob)) == b"held"
        second()
        assert [each for each, _ in store.blobs()] == [other]
        store.delete(other)
        assert list(store.blobs()) == []


def test_what_is_gone_can_not_be_held(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    here, gone = put(store, b"x"), put(store, b"y")
    store.delete(gone)
    assert [each for each, _ in store.blobs()] == [here]
    with pytest.raises(Unavailable, match=f"{gone} are gone"):
        store.hold([here, gone])
    store.delete(here)
    assert list(store.blobs()) == []


def test_a_blob_that_lost_its_end_is_no_short_one(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    blob = put(store, b"0123456789")
    blocks = store.read(blob, 0, 10)
    os.truncate(tmp_path / "objects" / blob[:2] / blob, 4)
    assert next(blocks) == b"0123"
    with pytest.raises(Unavailable, match=f"{blob} .* is shorter"):
        next(blocks)
    with pytest.raises(Unavailable, match=f"{blob} .* is shorter"):
        store.read(blob, 2, 5)
    assert b"".join(store.read(blob, 1, 3)) == b"123"


def test_reading_goes_on_after_a_deletion(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    blob = put(store, b"still here")
    blocks = store.read(blob)
    store.delete(blob)
    assert b"".join(blocks) == b"still here"


def test_blocks_nobody_reads_are_closed(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    blob = put(store, b"x")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        store.read(blob)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_nothing_is_visible_before_the_commit(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    staging = store.stage()
    staging.write(b"x")
    staged = staging.finish()
    assert list(store.blobs()) == []
    assert (tmp_path / "staging" / staged.blob).stat().st_mode & 0o777 == 0o600
    store.commit(staged)
    assert not list((tmp_path / "staging").iterdir())
    assert (tmp_path / "objects" / staged.blob[:2] / staged.blob).read_bytes() == b"x"


def test_stale_staging_files_are_swept_and_fresh_ones_stay(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    staged = [store.stage().finish() for _ in range(3)]
    for each in staged[:2]:
        os.utime(tmp_path / "staging" / each.blob, (1, 1))
    assert store.sweep(HOUR) == 2
    assert [path.name for path in (tmp_path / "staging").iterdir()] == [staged[2].blob]


@pytest.mark.parametrize("name", ["../../etc/passwd", "0" * 31, "0" * 32 + "/", "", "G" * 32])
def test_only_ids_are_paths(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no id of a blob"):
        FileStore(tmp_path).read(name)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = FileStore(tmp_path)
    staging = store.stage()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(Unavailable, match=r"disk .* is full; free some space"):
            staging.write(b"x")
    assert not list((tmp_path / "staging").iterdir())
    staging = store.stage()
    staging.write(b"x")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="is full"):
            staging.finish()
    assert not list((tmp_path / "staging").iterdir())


def test_the_store_is_chosen_by_its_place(tmp_path: Path) -> None:
    assert isinstance(open_object_store("", tmp_path), FileStore)
    assert (tmp_path / "objects" / "staging").is_dir()
    assert isinstance(open_object_store(str(tmp_path / "elsewhere"), tmp_path), FileStore)
    assert isinstance(open_object_store("memory://", tmp_path), RemoteStore)
    with pytest.raises(Unavailable, match=r"nowhere://x can't be opened") as refused:
        open_object_store("nowhere://user:hidden@x?token=hidden", tmp_path)
    assert "hidden" not in refused.value.message


def test_crc64nvme_of_a_known_text(tmp_path: Path) -> None:
    staging = FileStore(tmp_path).stage(("crc64nvme",))
    staging.write(b"123456789")
    assert base64.b64encode(staging.finish().digests["crc64nvme"]) == b"rosUhgp5mIg="
