"""Model archives: written the same each time, and read as what they are, a stranger's bytes."""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from headrace.server.containers.contract import ClientError

BLOCK = tarfile.BLOCKSIZE
PIECE = 1 << 20
LONGEST_HEADER = 1 << 20
ALWAYS_ALLOWED = 16 << 20
"""Bytes that an archive may expand to whatever its ratio, since small files of zeros shrink very well."""

UNUSED = {tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK}
HEADERS = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME} | UNUSED
FILES = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE}
OTHER_KINDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


def unpack(
    archive: Path, folder: Path, *, most_bytes: int = 20 << 30, most_files: int = 100_000, most_ratio: int = 200
) -> None:
    """Unpack a tar.gz or tar archive of regular files and folders as `folder`, which appears whole or not at all.

    `most_bytes` and `most_ratio` limit what it may expand to, `most_files` how many files and folders it makes.
    Raises ClientError with one sentence on anything that is no such archive.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name[:64]}.", dir=folder.parent))
    most_bytes = min(most_bytes, max(ALWAYS_ALLOWED, archive.stat().st_size * most_ratio))
    try:
        with archive.open("rb") as raw:
            compressed = raw.peek(2)[:2] == b"\x1f\x8b"
            stream = gzip.GzipFile(fileobj=raw, mode="rb") if compressed else raw
            _write(_Source(stream, most_bytes), partial, most_files)
        partial.chmod(0o755)
        partial.rename(folder)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ClientError(f"The archive is damaged or cut off ({error}); pack and upload it again.") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def pack(folder: Path, archive: Path) -> None:
    """Write the files and folders under `folder` as a tar.gz, byte for byte the same for the same content.

    A symbolic link to a file inside becomes that file; other links and special files are left out.
    """
    inside = folder.resolve()
    partial = archive.with_name(f".{archive.name}.partial")
    try:
        with (
            partial.open("wb") as raw,
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as compressed,
            tarfile.open(fileobj=compressed, mode="w") as tar,
        ):
            for path in sorted(folder.rglob("*")):
                _pack_one(tar, path, path.relative_to(folder).as_posix(), inside)
        partial.replace(archive)
    finally:
        partial.unlink(missing_ok=True)


def _pack_one(tar: tarfile.TarFile, path: Path, name: str, inside: Path) -> None:
    member = tarfile.TarInfo(name)
    if path.is_dir() and not path.is_symlink():
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(member)
        return
    path = path.resolve()
    if not path.is_file() or not path.is_relative_to(inside):
        return
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as content:
        status = os.fstat(content.fileno())
        member.size, member.mode = status.st_size, 0o755 if status.st_mode & stat.S_IXUSR else 0o644
        tar.addfile(member, content)


class _Source:
    """The bytes of a tar archive, of which no more than a limit come out."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, most: int) -> None:
        self.stream, self.left, self.most = stream, most, most

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield exactly `size` bytes and consume the padding behind them."""
        padding = -size % BLOCK
        while size:
            piece = self._take(min(size, PIECE))
            size -= len(piece)
            yield piece
        if padding and len(self._take(padding)) < padding:
            raise EOFError("its last block is short")

    def header(self) -> bytes:
        """Return the next block, shorter at the end of the bytes."""
        block = self.stream.read(BLOCK)
        self._count(len(block))
        return block

    def drain(self) -> None:
        """Read to the end, where the checksum of what was compressed is."""
        while piece := self.stream.read(PIECE):
            self._count(len(piece))

    def _take(self, size: int) -> bytes:
        piece = self.stream.read(size)
        if not piece:
            raise EOFError("it ends in the middle of a file")
        self._count(len(piece))
        return piece

    def _count(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise ClientError(f"The archive expands to more than {self.most} bytes, the most that one of its size may.")


def _write(source: _Source, root: Path, most_files: int) -> None:
    made: dict[PurePosixPath, bool] = {PurePosixPath("."): True}
    for member in _members(source):
        path = _safe(member.name)
        parents = [parent for parent in path.parents if parent not in made]
        if len(made) + len(parents) > most_files:
            raise ClientError(f"The archive has more than {most_files} files and folders, the most that are allowed.")
        if made.get(path, member.isdir()) != member.isdir() or (path in made and not member.isdir()):
            raise ClientError(f"The archive has {member.name!r} twice; pack each file once.")
        made.update(dict.fromkeys(parents, True))
        made[path] = member.isdir()
        try:
            _write_one(source, member, root / path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise ClientError(f"The archive has {member.name!r} both as a file and as a folder.") from None


def _write_one(source: _Source, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        for _ in source.pieces(member.size):
            pass
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o755 if member.mode & stat.S_IXUSR else 0o644
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb") as file:
        for piece in source.pieces(member.size):
            file.write(piece)


def _members(source: _Source) -> Iterator[tarfile.TarInfo]:
    """Yield the files and folders with their final names and sizes; the content of each is to be consumed."""
    extended: dict[str, str] = {}
    first = True
    while True:
        try:
            member = tarfile.TarInfo.frombuf(source.header(), "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            kind = type(error).__name__
            if kind == "EOFHeaderError" or (kind == "EmptyHeaderError" and not first):
                source.drain()
                return
            what = "no tar.gz archive" if first else "damaged"
            raise ClientError(f"The archive is {what} ({error}); pack the files with tar -czf and upload it.") from None
        first = False
        if member.size < 0:
            raise ClientError("The archive is damaged (a file of less than no bytes).")
        if member.type in HEADERS:
            extended.update(_extension(source, member))
            continue
        if member.type not in FILES and not member.isdir():
            kind = OTHER_KINDS.get(member.type, "of an unknown kind")
            raise ClientError(
                f"The archive has {extended.get('path', member.name)!r}, which is {kind}; "
                "only regular files and folders are allowed."
            )
        yield _extended(member, extended)
        extended = {}


def _extension(source: _Source, member: tarfile.TarInfo) -> dict[str, str]:
    """Return what a header that extends the next one says: its path and size."""
    if member.size > LONGEST_HEADER:
        raise ClientError(f"The archive has a header of {member.size} bytes; none has more than {LONGEST_HEADER}.")
    content = b"".join(source.pieces(member.size))
    if member.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": content.rstrip(b"\0").decode("utf-8", "surrogateescape")}
    if member.type in UNUSED:
        return {}
    said = {}
    while content:
        length, _, _ = content.partition(b" ")
        size = int(length) if length.isdigit() and len(length) < 8 else 0
        record, content = content[len(length) + 1 : size], content[size:]
        name, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n") or len(length) + 1 + len(record) != size:
            raise ClientError("The archive is damaged (a header of it can't be read).")
        said[name.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "surrogateescape")
    return said


def _extended(member: tarfile.TarInfo, extended: dict[str, str]) -> tarfile.TarInfo:
    if any(name.startswith("GNU.sparse") for name in extended):
        raise ClientError(f"The archive has {member.name!r}, which is a sparse file; pack it without --sparse.")
    member.name = extended.get("path", member.name)
    size = extended.get("size", str(member.size))
    if not (size.isascii() and size.isdigit() and len(size) < 20):
        raise ClientError(f"The archive gives {member.name!r} the size {size[:40]!r}, which is none.")
    member.size = int(size)
    return member


def _safe(name: str) -> PurePosixPath:
    """Return the relative path that a name means; raises ClientError on one that could lie outside or can't be."""
    path = PurePosixPath(name)
    reason = ""
    if path.is_absolute():
        reason = "is an absolute path"
    elif ".." in path.parts:
        reason = "leads out of its folder"
    elif any(character < " " or character == "\x7f" for character in name):
        reason = "has control characters in its name"
    elif not _is_text(name):
        reason = "has a name that is no UTF-8 text"
    elif len(name.encode()) > 1024 or any(len(part.encode()) > 255 for part in path.parts):
        reason = "has too long a name"
    if reason:
        raise ClientError(f"The archive has {name[:200]!r}, which {reason}; pack relative paths with plain names.")
    return path


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
