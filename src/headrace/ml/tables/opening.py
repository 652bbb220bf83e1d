"""Getting at the bytes of a source, and undoing compression within bounds."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from headrace.ml.errors import MissingExtraError, SourceError
from headrace.ml.tables.names import suggest


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


Opener = Callable[[str], BinaryIO]
"""Opens an address such as `s3://bucket/key` for reading."""

MOST_BYTES = 1 << 34
"""A compressed source may not grow past 16 GiB…"""
MOST_GROWTH = 200
"""…nor, past 64 MiB, to more than 200 times its size: no table of use does, and a bomb does."""
_FREE_BYTES = 1 << 26
_CHUNK = 1 << 20
_ZIP = b"PK\x03\x04"


def check_path(path: Path) -> None:
    """Raise `SourceError` for a path that is not there, naming the nearest that is."""
    if path.exists():
        return
    if not path.parent.is_dir():
        raise SourceError(f"there is no folder '{path.parent}' for '{path.name}'; check the path")
    if path.is_symlink():
        raise SourceError(f"'{path}' is a link to a file that is not there; check where it leads")
    near = suggest(path.name, (other.name for other in path.parent.iterdir()))
    raise SourceError(f"there is no file '{path}'{near or '; check the path'}")


def read_path(path: Path) -> bytes:
    """Return the bytes of a file; raises `SourceError` where it cannot be read."""
    if not path.is_file():
        raise SourceError(f"'{path}' is neither a file nor a folder; give the path of a table")
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"'{path}' cannot be read: {(error.strerror or str(error)).lower()}") from None


def read_address(address: str, opener: Opener) -> bytes:
    """Return what stands at an address; whatever goes wrong in `opener` becomes a `SourceError`."""
    try:
        with opener(address) as stream:
            return stream.read()
    except Exception as error:
        raise SourceError(f"'{address}' cannot be read: {error}") from error


def decompress(data: bytes, source: str, member: str | None = None) -> tuple[bytes, str]:
    """Undo gzip, bzip2, xz, zstd, or a zip file with one member; returns the bytes and their name.

    Other data are returned as they are, workbooks among them. `member` names the file to take from a zip file of
    several. Raises `SourceError` past `MOST_BYTES` or `MOST_GROWTH`, and for damaged data.
    """
    streams: dict[bytes, Callable[[BinaryIO, str], _Stream]] = {
        b"\x1f\x8b": lambda raw, _: gzip.GzipFile(fileobj=raw),
        b"BZh": lambda raw, _: bz2.BZ2File(raw),
        b"\xfd7zXZ\x00": lambda raw, _: lzma.LZMAFile(raw),  # noqa: SIM115
        b"\x28\xb5\x2f\xfd": _open_zstd,
    }
    try:
        for magic, open_stream in streams.items():
            if data.startswith(magic):
                content = _read_within_bounds(open_stream(io.BytesIO(data), source), len(data), source)
                return content, source.rpartition(".")[0] or source
        if data.startswith(_ZIP):
            return _unzip(data, source, member)
    except (
        OSError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise SourceError(f"'{source}' is compressed but damaged ({error}); get it anew") from None
    return data, source


def _read_within_bounds(stream: _Stream, compressed: int, source: str) -> bytes:
    most = min(MOST_BYTES, max(_FREE_BYTES, MOST_GROWTH * compressed))
    parts, size = [], 0
    while part := stream.read(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > most:
            raise SourceError(
                f"'{source}' grows from {compressed:,} to more than {most:,} bytes when decompressed, past the bound "
                "kept against decompression bombs; decompress it yourself if you trust it"
            )
    return b"".join(parts)


def _open_zstd(raw: BinaryIO, source: str) -> _Stream:
    for module, opener in (
        ("compression.zstd", "ZstdFile"),
        ("zstandard", "open"),
        ("pyarrow", "CompressedInputStream"),
    ):
        try:
            found = getattr(importlib.import_module(module), opener)
        except ImportError:
            continue
        stream: _Stream = found(raw, "zstd") if module == "pyarrow" else found(raw)
        return stream
    raise MissingExtraError(
        f"'{source}' is compressed with zstd, which needs pyarrow; pip install 'headrace[arrow]', or use gzip"
    )


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are an Excel or OpenDocument workbook."""
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return True
    if not data.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return False
    return any(name.startswith("xl/") for name in names) or "mimetype" in names


def check_workbook_size(data: bytes, source: str) -> None:
    """Raise `SourceError` for a workbook whose parts would decompress past the bounds."""
    if data.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
        if size > min(MOST_BYTES, max(_FREE_BYTES, MOST_GROWTH * len(data))):
            raise SourceError(f"'{source}' is a workbook that would grow to {size:,} bytes; export the sheet as CSV")


def _unzip(data: bytes, source: str, member: str | None) -> tuple[bytes, str]:
    if is_workbook(data):
        return data, source
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir()
            and not info.filename.startswith("__MACOSX/")
            and PurePosixPath(info.filename).name[0] != "."
        ]
        if member is not None and member not in names:
            raise SourceError(f"'{source}' has no member '{member}'{suggest(member, names)}")
        if member is None and len(names) != 1:
            shown = ", ".join(f"'{name}'" for name in names[:5]) or "none"
            raise SourceError(f"'{source}' is a zip file of {len(names)} files ({shown}); name one, or unpack it first")
        chosen = member or names[0]
        with archive.open(chosen) as stream:
            return _read_within_bounds(stream, archive.getinfo(chosen).compress_size, source), chosen
