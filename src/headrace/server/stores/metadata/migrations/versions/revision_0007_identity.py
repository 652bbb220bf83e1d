"""Creates the tables of identity."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "identity_last_uses",
        sa.Column("subject", words(128), nullable=False, comment="access key id, or unique id of a user or role"),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("service", words(64), nullable=False),
        sa.Column("region", words(32), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_identity_last_uses")),
    )
    op.create_table(
        "identity_memberships",
        sa.Column(
            "member", words(64), nullable=False, comment="unique id of a user (in a group) or role (in a profile)"
        ),
        sa.Column("container", words(64), nullable=False, comment="unique id of a group or instance profile"),
        sa.PrimaryKeyConstraint("member", "container", name=op.f("pk_identity_memberships")),
    )
    op.create_index(op.f("ix_identity_memberships_container"), "identity_memberships", ["container"], unique=False)
    op.create_table(
        "identity_policies",
        sa.Column("owner", words(64), nullable=False, comment="unique id of a user, group or role"),
        sa.Column("kind", words(10), nullable=False, comment="inline, attached or boundary"),
        sa.Column("name", words(512), nullable=False, comment="name of an inline policy, ARN of a managed one"),
        sa.Column("document", words(), nullable=True, comment="of an inline policy"),
        sa.PrimaryKeyConstraint("owner", "kind", "name", name=op.f("pk_identity_policies")),
    )
    op.create_index(op.f("ix_identity_policies_name"), "identity_policies", ["name"], unique=False)
    op.create_table(
        "identity_unique_ids",
        sa.Column(
            "id", words(64), nullable=False, comment="AIDA…, AROA…, AGPA…, AIPA…: outlives renames, never used again"
        ),
        sa.Column("arn", words(1024), nullable=False, comment="of the resource that has it now"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_unique_ids")),
        sa.UniqueConstraint("arn", name=op.f("uq_identity_unique_ids_arn")),
    )
    op.create_table(
        "policy_versions",
        sa.Column("policy", words(512), nullable=False, comment="ARN of a managed policy"),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", words(), nullable=False),
        sa.Column("preferred", sa.Boolean(), nullable=False, comment="whether it is the default version"),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("policy", "number", name=op.f("pk_policy_versions")),
    )
