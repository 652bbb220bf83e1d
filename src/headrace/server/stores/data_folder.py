"""The data folder: everything one server keeps, locked against a second one, with a version of its format."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import weakref
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType, TracebackType

from headrace.ml.errors import HeadraceError

FORMAT = 1
"""The version of the folder's layout that this program reads and writes; that of the tables is the database's own."""

UPGRADES: Mapping[int, Callable[[Path], None]] = MappingProxyType({})
"""How a folder of each earlier format becomes one of the next; each step may be repeated after an interruption."""

LOCK_FILE, FORMAT_FILE = "lock", "format"
SMALL = ("keys", "credentials", FORMAT_FILE)
"""What a backup before an upgrade of the format holds: all that is not bulk and not in the database."""


class DataFolderError(HeadraceError):
    """The data folder cannot be used: another server has it, it belongs to others, or a newer version wrote it."""


class DataFolder:
    """The paths in one data folder; `open` makes it, upgrades it and holds its lock, `at` only names what is in it.

    Folders: `objects`, `keys`, `logs`, `backups`, `jobs`, and `temporary`, which is emptied at every start. Files:
    `database` (SQLite) and `credentials`. A context manager: leaving it gives the lock back.
    """

    def __init__(self, path: Path, lock: int | None = None) -> None:
        self.path = path
        self.database = path / "headrace.db"
        self.credentials = path / "credentials"
        self.objects = path / "objects"
        self.keys = path / "keys"
        self.logs = path / "logs"
        self.backups = path / "backups"
        self.jobs = path / "jobs"
        self.temporary = path / "temporary"
        self._lock = lock

    @classmethod
    def at(cls, path: Path) -> DataFolder:
        """Name what is in a folder that another process holds (a worker's server); nothing is made or locked."""
        return cls(path.expanduser().absolute())

    @classmethod
    def open(cls, path: Path) -> DataFolder:
        """Make the folder if it is absent, lock it, and bring its format up to date after a backup of the small files.

        The lock goes with the process, however it ends. Raises DataFolderError.
        """
        folder = cls.at(path)
        try:
            _make_private(folder.path)
            folder._lock = _take_lock(folder.path)
            _release_in_children(weakref.ref(folder))
            try:
                folder._prepare()
            except BaseException:
                folder.close()
                raise
        except OSError as error:
            raise DataFolderError(
                f"the data folder {folder.path} cannot be used: {error.strerror or error}; make it writable or pass "
                "another --data"
            ) from error
        return folder

    def close(self) -> None:
        """Give the lock back; may be called again."""
        if self._lock is not None:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._forget_lock()

    def __enter__(self) -> DataFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _forget_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _prepare(self) -> None:
        found = _read_format(self.path)
        if found is None:
            _write_format(self.path, FORMAT)
        elif found < FORMAT:
            self._upgrade(found)
        for each in (self.objects, self.keys, self.logs, self.backups, self.jobs, self.temporary):
            each.mkdir(mode=0o700, exist_ok=True)
        for left in self.temporary.iterdir():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        for left in self.backups.glob("*.partial"):
            left.unlink()

    def _upgrade(self, found: int) -> None:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        kept = self.backups / f"folder-{found}-{moment}"
        kept.mkdir(mode=0o700, parents=True)
        for name in SMALL:
            source = self.path / name
            if source.is_dir():
                shutil.copytree(source, kept / name)
            elif source.exists():
                shutil.copy2(source, kept / name)
        for version in range(found, FORMAT):
            UPGRADES[version](self.path)
            _write_format(self.path, version + 1)


def _make_private(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise DataFolderError(f"the data folder {path} is a file; pass another --data")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    if status.st_uid not in (os.geteuid(), 0):
        raise DataFolderError(
            f"the data folder {path} belongs to user {status.st_uid}; run as that user or pass another --data"
        )
    strangers = sorted(each.name for each in path.iterdir() if each.name not in (LOCK_FILE, "lost+found"))
    if strangers and FORMAT_FILE not in strangers and not all(name.startswith(".format.") for name in strangers):
        raise DataFolderError(
            f"the folder {path} is not empty and no data folder of Headrace (it holds {strangers[0]!r}); pass another "
            "--data"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        path.chmod(0o700)


def _take_lock(path: Path) -> int:
    lock = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 200, 0).decode(errors="replace").strip() or "another server"
        os.close(lock)
        raise DataFolderError(
            f"the data folder {path} is in use by {holder}; stop that server or pass another --data"
        ) from None
    except OSError:
        os.close(lock)
        raise
    started = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"process {os.getpid()}, started {started}\n".encode(), 0)
    return lock


def _release_in_children(reference: weakref.ref[DataFolder]) -> None:
    """Close the lock in forked children, who would hold it after their parent's end."""

    def close() -> None:
        folder = reference()
        if folder is not None:
            folder._forget_lock()

    os.register_at_fork(after_in_child=close)


def _read_format(path: Path) -> int | None:
    try:
        text = (path / FORMAT_FILE).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = "unreadable"
    if not text.isdigit() or not 1 <= int(text) <= FORMAT:
        raise DataFolderError(
            f"the data folder {path} is of format {text[:20]!r}, and this version of Headrace knows none above "
            f"{FORMAT}: a newer Headrace wrote it; upgrade Headrace or pass another --data"
        )
    return int(text)


def _write_format(path: Path, version: int) -> None:
    partial = path / f".format.{os.getpid()}"
    with partial.open("w", encoding="ascii") as file:
        file.write(f"{version}\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path / FORMAT_FILE)
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
