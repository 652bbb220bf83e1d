"""Log streams and their events; log groups are resources."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, UniqueConstraint

from headrace.server.stores.metadata.tables.declaration import METADATA, Identity, Milliseconds

LOG_STREAMS = Table(
    "log_streams",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("log_group", BigInteger, nullable=False, comment="id in resources"),
    Column("name", String(512), nullable=False),
    Column("created", Milliseconds, nullable=False),
    Column("first_event", Milliseconds, nullable=True),
    Column("last_event", Milliseconds, nullable=True),
    Column("last_ingestion", Milliseconds, nullable=True),
    Column("stored", BigInteger, nullable=False, server_default="0", comment="bytes, 26 added for each event"),
    UniqueConstraint("log_group", "name"),
    Index(None, "log_group", "last_event"),
    sqlite_autoincrement=True,
)

LOG_EVENTS = Table(
    "log_events",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("log_group", BigInteger, nullable=False, comment="id in resources"),
    Column("stream", BigInteger, nullable=False, comment="id in log_streams"),
    Column("time", Milliseconds, nullable=False),
    Column("ingested", Milliseconds, nullable=False),
    Column("message", LargeBinary, nullable=False, comment="UTF-8; bytes, as PostgreSQL's text has no NUL"),
    Index(None, "log_group", "time", "id"),
    Index(None, "stream", "time", "id"),
    sqlite_autoincrement=True,
)
