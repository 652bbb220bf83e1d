"""Creates the tables of jobs."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "job_log",
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False, comment="counted from 0 over all attempts"),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("text", words(), nullable=False),
        sa.PrimaryKeyConstraint("job", "line", name=op.f("pk_job_log")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", words(80), nullable=False),
        sa.Column("payload", words(), nullable=False, comment="what its handler is given, JSON"),
        sa.Column("resource_arn", words(1024), server_default="", nullable=False, comment="the resource it works for"),
        sa.Column(
            "token", words(160), server_default="", nullable=False, comment="idempotency token, unique in its kind"
        ),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False, comment="higher goes first"),
        sa.Column("user_code", sa.Boolean(), nullable=False, comment="runs code that a user brought"),
        sa.Column(
            "memory",
            sa.BigInteger(),
            nullable=True,
            comment="most bytes that its processes may hold; null for no limit",
        ),
        sa.Column("timeout", sa.BigInteger(), nullable=True, comment="most milliseconds that one attempt may take"),
        sa.Column("most_attempts", sa.Integer(), nullable=False, comment="attempts that may fail before it is dead"),
        sa.Column("state", words(12), nullable=False),
        sa.Column(
            "attempt", sa.Integer(), server_default="0", nullable=False, comment="claims so far: the fencing token"
        ),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False, comment="attempts that failed"),
        sa.Column("not_before", sa.BigInteger(), nullable=False, comment="not claimed before this time"),
        sa.Column(
            "pause",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="how long to wait before a new attempt",
        ),
        sa.Column("owner", words(200), server_default="", nullable=False, comment="the worker that runs it"),
        sa.Column(
            "beat",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="grows with every sign of life of its owner",
        ),
        sa.Column("progress", words(), server_default="{}", nullable=False, comment="step, fraction and message, JSON"),
        sa.Column("reason", words(), server_default="", nullable=False, comment="why it is where it is, one sentence"),
        sa.Column("result", words(), nullable=True, comment="what its handler answered, JSON"),
        sa.Column("lines", sa.Integer(), server_default="0", nullable=False, comment="lines of its log"),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=True, comment="start of the latest attempt"),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_resource_arn"), "jobs", ["resource_arn"], unique=False)
    op.create_index(op.f("ix_jobs_state_priority_id"), "jobs", ["state", "priority", "id"], unique=False)
    op.create_index(
        "uq_jobs_kind_token",
        "jobs",
        ["kind", "token"],
        unique=True,
        sqlite_where=sa.text("token != ''"),
        postgresql_where=sa.text("token != ''"),
    )
