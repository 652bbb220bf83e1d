"""Channels in Pipe mode as a script finds them: a named pipe an epoch, /opt/ml/input/data/<channel>_<epoch>."""

from __future__ import annotations

import errno
import os
import select
import threading
from pathlib import Path
from types import TracebackType

from headrace.server.operations.acting import Actor
from headrace.server.operations.training.channels import DataError, Source
from headrace.server.operations.training.streams import parts_of

LOOK = 0.1
READABLE_BY_ALL = 0o644


class Feeder:
    """Writes a channel's stream into its pipes for as long as the block runs; the next is there before one ends."""

    def __init__(self, actor: Actor, source: Source, folder: Path) -> None:
        self._actor, self._source, self._folder = actor, source, folder
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._feed, name=f"pipe-{source.name}", daemon=True)
        self._error: DataError | None = None

    def __enter__(self) -> Feeder:
        """Make the first pipe and begin."""
        self._make(0)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        """End; raises DataError where the channel could not be read, which says more than what came of it."""
        self._over.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _feed(self) -> None:
        epoch = 0
        while (pipe := self._open(epoch)) is not None:
            self._make(epoch + 1)
            try:
                for part in parts_of(self._actor, self._source, epoch):
                    for block in part:
                        self._write(pipe, block)
            except DataError as error:
                self._error = error
                return
            except (BrokenPipeError, _OverError):
                pass
            finally:
                os.close(pipe)
            epoch += 1

    def _path(self, epoch: int) -> Path:
        return self._folder / f"{self._source.name}_{epoch}"

    def _make(self, epoch: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        os.mkfifo(self._path(epoch))
        self._path(epoch).chmod(READABLE_BY_ALL)

    def _open(self, epoch: int) -> int | None:
        """Return the pipe once a reader has opened it, or None when all is over."""
        while not self._over.wait(LOOK):
            try:
                return os.open(self._path(epoch), os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    return None
        return None

    def _write(self, pipe: int, block: bytes) -> None:
        view = memoryview(block)
        while view:
            if self._over.is_set():
                raise _OverError
            if select.select([], [pipe], [], LOOK)[1]:
                view = view[os.write(pipe, view) :]


class _OverError(Exception):
    """The script is done."""
