"""Opens the platform: its stores and keys, for a server, and again for the processes of its jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.ml.errors import OptionError
from headrace.server.clock import Clock, system_clock
from headrace.server.context import Platform
from headrace.server.errors import Unavailable
from headrace.server.jobs.queue import JobQueue
from headrace.server.operations import work
from headrace.server.security import audit
from headrace.server.security.credentials import first_start
from headrace.server.security.secrets import KEY_FILE, Keyring, KeyringError
from headrace.server.settings import Settings
from headrace.server.stores.data_folder import DataFolder
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.objects import ObjectStore, open_object_store

QUEUE = JobQueue(work.on_change)


@dataclass(frozen=True)
class Opened:
    """An open platform; `made` tells that this start made the account and its keys."""

    platform: Platform
    folder: DataFolder
    credentials: Path
    signing_key: Path
    made: bool


@contextmanager
def open_platform(settings: Settings, clock: Clock = system_clock) -> Iterator[Opened]:
    """Lock the data folder, open the stores and the keyring, and make account and keys at the first start."""
    with DataFolder.open(settings.data) as folder:
        signing_key = folder.keys / KEY_FILE
        if folder.credentials.exists() and not signing_key.exists():
            raise KeyringError(
                f"the signing key {signing_key} is missing; put it back from a backup, "
                "or run headrace keys recover (every access key then has to be made anew)"
            )
        keyring = Keyring.open(folder.keys)
        metadata = MetadataStore.open(_database(settings, folder), backups=folder.backups, backup=settings.backup)
        try:
            objects = _open_objects(settings, folder)
            if not settings.objects:
                objects.sweep(clock())
            with metadata.writing() as connection:
                start = first_start(folder.path, connection, keyring, now=clock())
            platform = Platform(settings, metadata, objects, keyring, clock, start.account, jobs=QUEUE)
            yield Opened(platform, folder, folder.credentials, signing_key, start.made)
            audit.settle(metadata, clock(), everything=True)
        finally:
            metadata.close()


def reopen_platform(opening: dict[str, Any]) -> Platform:
    """Open, in the process of a job, the platform of the server that runs it; `opening` is what `working` tells."""
    settings = Settings.model_validate(opening["settings"])
    folder = DataFolder.at(settings.data)
    metadata = MetadataStore.join(_database(settings, folder))
    objects, keyring = _open_objects(settings, folder), Keyring.open(folder.keys)
    return Platform(
        settings, metadata, objects, keyring, system_clock, opening["account"], jobs=QUEUE, url=opening["url"]
    )


def _database(settings: Settings, folder: DataFolder) -> str:
    return settings.database or f"sqlite:///{folder.database}"


def _open_objects(settings: Settings, folder: DataFolder) -> ObjectStore:
    try:
        return open_object_store(settings.objects, folder.path)
    except Unavailable as error:
        raise OptionError(error.message) from None
