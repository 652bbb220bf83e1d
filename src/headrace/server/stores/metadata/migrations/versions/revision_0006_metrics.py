"""Creates the tables of metrics."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "metric_points",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("metric", sa.BigInteger(), nullable=False, comment="id in metrics"),
        sa.Column("time", sa.BigInteger(), nullable=False, comment="begin of its period"),
        sa.Column("period", sa.Integer(), nullable=False, comment="seconds that it sums up: 1, 60, 300 or 3600"),
        sa.Column(
            "merged",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="1 once all points alike are in this one",
        ),
        sa.Column("unit", words(20), nullable=False),
        sa.Column("count", sa.Double(), nullable=False),
        sa.Column("sum", sa.Double(), nullable=False),
        sa.Column("minimum", sa.Double(), nullable=False),
        sa.Column("maximum", sa.Double(), nullable=False),
        sa.Column(
            "distribution", words(), nullable=True, comment="[[value, count], …], JSON; empty where only sums are known"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_points")),
    )
    op.create_index(op.f("ix_metric_points_metric_time"), "metric_points", ["metric", "time"], unique=False)
    op.create_index(
        op.f("ix_metric_points_period_merged_time"), "metric_points", ["period", "merged", "time"], unique=False
    )
    op.create_table(
        "metrics",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account", words(12), nullable=False),
        sa.Column("region", words(32), nullable=False),
        sa.Column("namespace", words(255), nullable=False),
        sa.Column("name", words(255), nullable=False),
        sa.Column("dimensions", words(), nullable=False, comment="[[name, value], …] ordered by name, JSON"),
        sa.Column("digest", words(64), nullable=False, comment="SHA-256 of the dimensions"),
        sa.Column("newest", sa.BigInteger(), nullable=False, comment="when points last came in"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metrics")),
        sa.UniqueConstraint(
            "account",
            "region",
            "namespace",
            "name",
            "digest",
            name=op.f("uq_metrics_account_region_namespace_name_digest"),
        ),
        sqlite_autoincrement=True,
    )
