"""The metadata store: one SQL database, SQLite by default and PostgreSQL by URL."""

from headrace.server.stores.metadata.database import MetadataError, MetadataStore
from headrace.server.stores.metadata.tables import METADATA

__all__ = ["METADATA", "MetadataError", "MetadataStore"]
