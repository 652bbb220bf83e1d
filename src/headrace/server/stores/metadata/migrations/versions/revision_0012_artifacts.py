"""Keep files of resources in the store of objects."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "artifacts",
        sa.Column("arn", words(1024), nullable=False, comment="of the resource"),
        sa.Column("name", words(255), nullable=False),
        sa.Column("blob", words(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", "name", name=op.f("pk_artifacts")),
    )
    with op.batch_alter_table("artifacts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_artifacts_blob"), ["blob"], unique=False)
