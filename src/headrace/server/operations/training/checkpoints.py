"""Checkpoints of a training job: restored from S3 at its start, and uploaded while it runs and at its end."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import BinaryIO

from headrace.server.errors import OperationError
from headrace.server.operations.acting import Actor
from headrace.server.operations.storage.transfer import download, list_keys, parse_uri, put, stage
from headrace.server.operations.training.channels import DataError
from headrace.server.operations.training.outputs import files_of

PERIOD = 2.0
Seen = tuple[int, int]


class Checkpoints:
    """Keeps the folder of a job's checkpoints and the prefix of its CheckpointConfig alike, from start to end."""

    def __init__(self, actor: Actor, uri: str, folder: Path) -> None:
        self._actor, self._uri, self._folder = actor, uri, folder
        self._prefix = parse_uri(uri)
        self._seen: dict[str, Seen] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="checkpoints", daemon=True)
        self._failed: OperationError | None = None

    def restore(self) -> int:
        """Fetch what an earlier job or attempt left, unless the folder holds some already; return how many files."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if any(self._folder.iterdir()):
            return 0
        try:
            keys = list_keys(self._actor, self._prefix.bucket, self._key(""))
            for key in keys:
                name = key.key[len(self._key("")) :]
                path = self._folder / name
                if not name or name.endswith("/") or ".." in name.split("/") or not path.is_relative_to(self._folder):
                    continue
                download(self._actor, key.bucket, key.key, path)
                self._seen[name] = _seen(path.stat())
        except OperationError as error:
            raise DataError(f"Failed to download the checkpoints of {self._uri}: {error.message}") from error
        return len(self._seen)

    def start(self) -> None:
        """Begin to upload what changes."""
        self._thread.start()

    def finish(self) -> None:
        """Upload what is left; raises DataError where any upload was refused."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._upload()
        if self._failed is not None:
            raise DataError(f"Failed to upload checkpoints to {self._uri}: {self._failed.message}") from self._failed

    def _watch(self) -> None:
        while not self._over.wait(PERIOD):
            self._upload()

    def _upload(self) -> None:
        try:
            for name, file in files_of(self._folder):
                seen = _seen(os.fstat(file.fileno()))
                if self._seen.get(name) != seen:
                    self._put(name, file)
                    self._seen[name] = seen
            self._failed = None
        except OperationError as error:
            self._failed = error
        except OSError:
            return

    def _put(self, name: str, file: BinaryIO) -> None:
        staged = stage(self._actor, file)
        try:
            with self._actor.writing() as context:
                put(context, self._prefix.bucket, self._key(name), staged)
        except BaseException:
            self._actor.platform.objects.discard(staged)
            raise

    def _key(self, name: str) -> str:
        prefix = self._prefix.key.strip("/")
        return f"{prefix}/{name}" if prefix else name


def _seen(status: os.stat_result) -> Seen:
    return status.st_mtime_ns, status.st_size
