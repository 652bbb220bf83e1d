"""The account, the keys that requests are signed with, and sessions that were ended early."""

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table

from headrace.server.stores.metadata.tables.declaration import METADATA, Milliseconds

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("account", String(12), primary_key=True),
    Column("created", Milliseconds, nullable=False),
    Column("key_check", LargeBinary, nullable=False, comment="sealed by the signing key that sealed everything else"),
)

ACCESS_KEYS = Table(
    "access_keys",
    METADATA,
    Column("access_key_id", String(128), primary_key=True),
    Column("sealed", LargeBinary, nullable=False, comment="the secret, sealed"),
    Column("owner", String(64), nullable=False, comment="unique id of the user, or the account for root"),
    Column("kind", String(20), nullable=False, comment="Root or IAMUser"),
    Column("account", String(12), nullable=False),
    Column("principal", String(1024), nullable=False, comment="ARN of the owner"),
    Column("name", String(64), nullable=False, server_default=""),
    Column("active", Boolean, nullable=False),
    Column("created", Milliseconds, nullable=False),
    Index(None, "owner"),
)

ENDED_SESSIONS = Table(
    "ended_sessions",
    METADATA,
    Column("owner", String(64), primary_key=True, comment="unique id of the user or role, or the account for root"),
    Column("before", Milliseconds, nullable=False, comment="sessions issued before this are refused"),
)
