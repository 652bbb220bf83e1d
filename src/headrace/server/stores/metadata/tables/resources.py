"""Resources of every service, and their tags."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from headrace.server.stores.metadata.tables.declaration import METADATA, Identity, Milliseconds

RESOURCES = Table(
    "resources",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("kind", String(80), nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False, comment="empty for global services"),
    Column("name", String(512), nullable=False, comment="unique among its kind, parent, account and region"),
    Column("parent", String(1024), nullable=False, server_default="", comment="ARN of the resource it belongs to"),
    Column("arn", String(1024), nullable=False, unique=True),
    Column("state", String(40), nullable=False, server_default=""),
    Column("record", Text, nullable=False, comment="the members that describe answers, JSON in snake_case"),
    Column("policy", Text, nullable=True, comment="its resource policy (bucket, trust, key policy), JSON"),
    Column("token", String(160), nullable=False, server_default="", comment="idempotency token of its creation"),
    Column("token_digest", String(64), nullable=False, server_default="", comment="SHA-256 of that request"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created", Milliseconds, nullable=False),
    Column("modified", Milliseconds, nullable=False),
    UniqueConstraint("kind", "account", "region", "parent", "name"),
    Index(None, "parent"),
    Index(None, "kind", "account", "region", "created"),
    Index(
        "uq_resources_token",
        "kind",
        "account",
        "region",
        "token",
        unique=True,
        sqlite_where=text("token <> ''"),
        postgresql_where=text("token <> ''"),
    ),
)

TAGS = Table(
    "tags",
    METADATA,
    Column("arn", String(1024), primary_key=True),
    Column("key", String(256), primary_key=True),
    Column("value", String(512), nullable=False),
    Index(None, "key", "value"),
)
