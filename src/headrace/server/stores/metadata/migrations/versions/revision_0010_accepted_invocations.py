"""Keeps the requests that asynchronous endpoints have accepted."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "accepted_invocations",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="in the order in which they came",
        ),
        sa.Column("endpoint_arn", words(1024), nullable=False),
        sa.Column("request", words(), nullable=False, comment="what is asked and where the answer goes, JSON"),
        sa.Column("body", sa.LargeBinary(), nullable=True, comment="null where the request lies in S3"),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False, comment="not begun after this time"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accepted_invocations")),
    )
    with op.batch_alter_table("accepted_invocations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_accepted_invocations_endpoint_arn_id"), ["endpoint_arn", "id"], unique=False
        )
