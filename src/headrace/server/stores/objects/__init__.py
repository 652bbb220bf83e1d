"""Blobs under opaque ids: files by default, any object store by URL."""

from headrace.server.stores.objects.contract import ObjectStore, Staged, Staging

__all__ = ["ObjectStore", "Staged", "Staging"]
