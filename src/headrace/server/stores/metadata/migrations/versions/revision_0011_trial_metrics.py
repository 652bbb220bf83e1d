"""Keeps values of metrics that programs log for trial components."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "trial_metrics",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="in the order in which they came",
        ),
        sa.Column("component", words(1024), nullable=False, comment="ARN"),
        sa.Column("name", words(255), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_metrics")),
    )
    with op.batch_alter_table("trial_metrics", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_trial_metrics_component_name_id"), ["component", "name", "id"], unique=False
        )
