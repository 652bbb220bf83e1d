"""What happened, in order, until every reader has passed it; and how far each reader is."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from headrace.server.stores.metadata.tables.declaration import METADATA, Identity, Milliseconds

EVENTS = Table(
    "events",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True, comment="in order of commit, never given out again"),
    Column("kind", String(128), nullable=False),
    Column("source", String(128), nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("arn", String(1024), nullable=False),
    Column("time", Milliseconds, nullable=False),
    Column("detail", Text, nullable=False, comment="JSON"),
    sqlite_autoincrement=True,
)

EVENT_READERS = Table(
    "event_readers",
    METADATA,
    Column("name", String(128), primary_key=True),
    Column("position", BigInteger, nullable=False, comment="id of the last event that it is done with"),
)
