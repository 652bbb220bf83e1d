"""Creates the tables of events."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "event_readers",
        sa.Column("name", words(128), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="id of the last event that it is done with"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_event_readers")),
    )
    op.create_table(
        "events",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="in order of commit, never given out again",
        ),
        sa.Column("kind", words(128), nullable=False),
        sa.Column("source", words(128), nullable=False),
        sa.Column("account", words(12), nullable=False),
        sa.Column("region", words(32), nullable=False),
        sa.Column("arn", words(1024), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("detail", words(), nullable=False, comment="JSON"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
