"""Blobs under opaque ids: files by default, any object store by URL."""

from __future__ import annotations

from pathlib import Path

from headrace.server.stores.objects.contract import BLOCK, ObjectStore, Staged, Staging, stage_file
from headrace.server.stores.objects.files import FileStore
from headrace.server.stores.objects.remote import RemoteStore

__all__ = ["BLOCK", "FileStore", "ObjectStore", "RemoteStore", "Staged", "Staging", "open_object_store", "stage_file"]


def open_object_store(place: str, data: Path) -> ObjectStore:
    """Return the store at a URL (`s3://bucket/prefix`, `gs://…`, `az://…`, `memory://`) or a folder.

    An empty `place` is the folder "objects" of the data folder. Raises Unavailable when it can't be opened.
    """
    if "://" in place:
        return RemoteStore.open(place)
    return FileStore(Path(place).expanduser() if place else data / "objects")
