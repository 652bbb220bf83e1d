"""The output folder: it appears whole when the run succeeded, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.ml.errors import OutputError


def choose_folder(out: str | Path | None, overwrite: bool) -> Path:
    """Return the absolute output folder; without `out` it is headrace-out, or the next free headrace-out-2."""
    if out is None:
        folder, number = Path("headrace-out").absolute(), 2
        while folder.exists() and not overwrite:
            folder = Path(f"headrace-out-{number}").absolute()
            number += 1
        return folder
    folder = Path(out).expanduser().absolute()
    if folder.exists():
        if not folder.is_dir():
            raise OutputError(f"{folder} is a file; name a folder for the results with --out")
        if any(folder.iterdir()) and not overwrite:
            raise OutputError(f"{folder} is not empty; pass --overwrite to replace it, or name another with --out")
        if overwrite and any(folder.iterdir()) and not (folder / "report.json").is_file():
            raise OutputError(
                f"{folder} holds no earlier result of Headrace, so it is not replaced; name another folder"
            )
    return folder


@contextmanager
def output_folder(final: Path) -> Iterator[Path]:
    """Give a partial folder beside `final`; it takes the name `final` when the block ends well, and is removed else."""
    partial = final.parent / f".{final.name}.{os.getpid()}.partial"
    with writing(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        _tidy(final)
        partial.mkdir()
    try:
        yield partial
        with writing(final):
            _publish(partial, final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _tidy(final: Path) -> None:
    """Remove what killed runs left beside `final`; an earlier result that one of them had moved aside comes back."""
    for left in final.parent.glob(f".{final.name}.*"):
        number, _, kind = left.name.removeprefix(f".{final.name}.").partition(".")
        if not number.isdigit() or kind not in ("partial", "old") or _is_alive(int(number)):
            continue
        if kind == "old" and not final.exists():
            left.rename(final)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(process: int) -> bool:
    import psutil

    return process != os.getpid() and psutil.pid_exists(process)


def _publish(partial: Path, final: Path) -> None:
    """Rename `partial` to `final`; what was there before is removed only after that."""
    old = final.parent / f".{final.name}.{os.getpid()}.old"
    if final.exists():
        final.rename(old)
    try:
        partial.rename(final)
    except OSError:
        if old.exists():
            old.rename(final)
        raise
    shutil.rmtree(old, ignore_errors=True)


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def writing(place: Path, only: frozenset[int] | None = None) -> Iterator[None]:
    """Turn a failure to write under `place` into one sentence; with `only`, failures of those error numbers."""
    try:
        yield
    except OSError as error:
        if only is not None and error.errno not in only:
            raise
        reason = "the disk is full" if error.errno in FULL else (error.strerror or str(error)).lower()
        raise OutputError(f"results cannot be written to {place}: {reason}; nothing was left behind") from error
