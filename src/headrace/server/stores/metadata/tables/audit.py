"""The audit trail: events, the trails that deliver them, and the chain of what was delivered."""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, String, Table, Text

from headrace.server.stores.metadata.tables.declaration import METADATA, Identity, Milliseconds

AUDIT_EVENTS = Table(
    "audit_events",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("time", Milliseconds, nullable=False),
    Column("category", String(12), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("name", String(128), nullable=False),
    Column("source", String(128), nullable=False),
    Column("username", String(128), nullable=False),
    Column("access_key_id", String(128), nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("resources", Text, nullable=False, comment="a line a resource: tab, type, tab, name, tab, ARN, tab"),
    Column("document", Text, nullable=False, comment="the record as CloudTrail writes it, JSON"),
    Index(None, "account", "region", "time", "id"),
    sqlite_autoincrement=True,
)

AUDIT_TRAILS = Table(
    "audit_trails",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("arn", String(256), nullable=False, index=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False, comment="the trail's home"),
    Column("everywhere", Boolean, nullable=False, comment="whether it covers all regions"),
    Column("selectors", Text, nullable=False, comment="basic and advanced event selectors, JSON"),
    Column("logging", Boolean, nullable=False),
    Column("windows", Text, nullable=False, comment="ids of the last events before each start and stop, JSON"),
    Column("position", BigInteger, nullable=False, comment="id of the last event that was looked at"),
    Column("facts", Text, nullable=False, comment="what GetTrailStatus answers beside, JSON"),
    Column("retired", Text, nullable=True, comment="the record of a deleted trail with events to deliver, JSON"),
)

AUDIT_FILES = Table(
    "audit_files",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("trail", BigInteger, nullable=False, comment="id in audit_trails"),
    Column("region", String(32), nullable=False),
    Column("bucket", String(63), nullable=False),
    Column("key", String(1024), nullable=False),
    Column("hash", String(64), nullable=False, comment="SHA-256 of the uncompressed file, hexadecimal"),
    Column("oldest", Milliseconds, nullable=False),
    Column("newest", Milliseconds, nullable=False),
    Column("delivered", Milliseconds, nullable=False),
    Index(None, "trail", "region"),
)
"""Log files that no digest names yet."""

AUDIT_DIGESTS = Table(
    "audit_digests",
    METADATA,
    Column("trail", BigInteger, primary_key=True, comment="id in audit_trails"),
    Column("region", String(32), primary_key=True),
    Column("until", Milliseconds, nullable=False, comment="end of the last digest, or start of the chain"),
    Column("bucket", String(63), nullable=False, server_default=""),
    Column("key", String(1024), nullable=False, server_default="", comment="of the last digest; empty before it"),
    Column("hash", String(64), nullable=False, server_default=""),
    Column("signature", Text, nullable=False, server_default="", comment="hexadecimal"),
)
"""Where each chain of digests stands."""

AUDIT_KEYS = Table(
    "audit_keys",
    METADATA,
    Column("fingerprint", String(32), primary_key=True),
    Column("public", LargeBinary, nullable=False, comment="RSA public key, PKCS #1 DER"),
    Column("private", LargeBinary, nullable=False, comment="PKCS #8 DER, sealed by the keyring"),
    Column("begins", Milliseconds, nullable=False),
    Column("ends", Milliseconds, nullable=False),
)
