"""Creates the tables of access keys."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "access_keys",
        sa.Column("access_key_id", words(128), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="the secret, sealed"),
        sa.Column("owner", words(64), nullable=False, comment="unique id of the user, or the account for root"),
        sa.Column("kind", words(20), nullable=False, comment="Root or IAMUser"),
        sa.Column("account", words(12), nullable=False),
        sa.Column("principal", words(1024), nullable=False, comment="ARN of the owner"),
        sa.Column("name", words(64), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("access_key_id", name=op.f("pk_access_keys")),
    )
    op.create_index(op.f("ix_access_keys_owner"), "access_keys", ["owner"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("account", words(12), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column(
            "key_check",
            sa.LargeBinary(),
            nullable=False,
            comment="sealed by the signing key that sealed everything else",
        ),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
    )
    op.create_table(
        "ended_sessions",
        sa.Column("owner", words(64), nullable=False, comment="unique id of the user or role, or the account for root"),
        sa.Column("before", sa.BigInteger(), nullable=False, comment="sessions issued before this are refused"),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_ended_sessions")),
    )
