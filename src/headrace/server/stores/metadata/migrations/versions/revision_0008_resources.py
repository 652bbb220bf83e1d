"""Creates the tables of resources."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "resources",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", words(80), nullable=False),
        sa.Column("account", words(12), nullable=False),
        sa.Column("region", words(32), nullable=False, comment="empty for global services"),
        sa.Column("name", words(512), nullable=False, comment="unique among its kind, parent, account and region"),
        sa.Column(
            "parent", words(1024), server_default="", nullable=False, comment="ARN of the resource it belongs to"
        ),
        sa.Column("arn", words(1024), nullable=False),
        sa.Column("state", words(40), server_default="", nullable=False),
        sa.Column("record", words(), nullable=False, comment="the members that describe answers, JSON in snake_case"),
        sa.Column("policy", words(), nullable=True, comment="its resource policy (bucket, trust, key policy), JSON"),
        sa.Column("token", words(160), server_default="", nullable=False, comment="idempotency token of its creation"),
        sa.Column("token_digest", words(64), server_default="", nullable=False, comment="SHA-256 of that request"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resources")),
        sa.UniqueConstraint("arn", name=op.f("uq_resources_arn")),
        sa.UniqueConstraint(
            "kind", "account", "region", "parent", "name", name=op.f("uq_resources_kind_account_region_parent_name")
        ),
    )
    op.create_index(
        op.f("ix_resources_kind_account_region_created"),
        "resources",
        ["kind", "account", "region", "created"],
        unique=False,
    )
    op.create_index(op.f("ix_resources_parent"), "resources", ["parent"], unique=False)
    op.create_index(
        "uq_resources_token",
        "resources",
        ["kind", "account", "region", "token"],
        unique=True,
        sqlite_where=sa.text("token <> ''"),
        postgresql_where=sa.text("token <> ''"),
    )
    op.create_table(
        "tags",
        sa.Column("arn", words(1024), nullable=False),
        sa.Column("key", words(256), nullable=False),
        sa.Column("value", words(512), nullable=False),
        sa.PrimaryKeyConstraint("arn", "key", name=op.f("pk_tags")),
    )
    op.create_index(op.f("ix_tags_key_value"), "tags", ["key", "value"], unique=False)
