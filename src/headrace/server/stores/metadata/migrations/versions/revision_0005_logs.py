"""Creates the tables of logs."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "log_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("log_group", sa.BigInteger(), nullable=False, comment="id in resources"),
        sa.Column("stream", sa.BigInteger(), nullable=False, comment="id in log_streams"),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("ingested", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False, comment="UTF-8; bytes, as PostgreSQL's text has no NUL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_log_events_log_group_time_id"), "log_events", ["log_group", "time", "id"], unique=False)
    op.create_index(op.f("ix_log_events_stream_time_id"), "log_events", ["stream", "time", "id"], unique=False)
    op.create_table(
        "log_streams",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("log_group", sa.BigInteger(), nullable=False, comment="id in resources"),
        sa.Column("name", words(512), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("first_event", sa.BigInteger(), nullable=True),
        sa.Column("last_event", sa.BigInteger(), nullable=True),
        sa.Column("last_ingestion", sa.BigInteger(), nullable=True),
        sa.Column(
            "stored", sa.BigInteger(), server_default="0", nullable=False, comment="bytes, 26 added for each event"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_streams")),
        sa.UniqueConstraint("log_group", "name", name=op.f("uq_log_streams_log_group_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_log_streams_log_group_last_event"), "log_streams", ["log_group", "last_event"], unique=False
    )
