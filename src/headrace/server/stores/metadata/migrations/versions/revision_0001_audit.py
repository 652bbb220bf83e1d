"""Creates the tables of audit."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "audit_digests",
        sa.Column("trail", sa.BigInteger(), nullable=False, comment="id in audit_trails"),
        sa.Column("region", words(32), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="end of the last digest, or start of the chain"),
        sa.Column("bucket", words(63), server_default="", nullable=False),
        sa.Column("key", words(1024), server_default="", nullable=False, comment="of the last digest; empty before it"),
        sa.Column("hash", words(64), server_default="", nullable=False),
        sa.Column("signature", words(), server_default="", nullable=False, comment="hexadecimal"),
        sa.PrimaryKeyConstraint("trail", "region", name=op.f("pk_audit_digests")),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account", words(12), nullable=False),
        sa.Column("region", words(32), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("category", words(12), nullable=False),
        sa.Column("event_id", words(36), nullable=False),
        sa.Column("name", words(128), nullable=False),
        sa.Column("source", words(128), nullable=False),
        sa.Column("username", words(128), nullable=False),
        sa.Column("access_key_id", words(128), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column(
            "resources", words(), nullable=False, comment="a line a resource: tab, type, tab, name, tab, ARN, tab"
        ),
        sa.Column("document", words(), nullable=False, comment="the record as CloudTrail writes it, JSON"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_audit_events_account_region_time_id"),
        "audit_events",
        ["account", "region", "time", "id"],
        unique=False,
    )
    op.create_table(
        "audit_files",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("trail", sa.BigInteger(), nullable=False, comment="id in audit_trails"),
        sa.Column("region", words(32), nullable=False),
        sa.Column("bucket", words(63), nullable=False),
        sa.Column("key", words(1024), nullable=False),
        sa.Column("hash", words(64), nullable=False, comment="SHA-256 of the uncompressed file, hexadecimal"),
        sa.Column("oldest", sa.BigInteger(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_files")),
    )
    op.create_index(op.f("ix_audit_files_trail_region"), "audit_files", ["trail", "region"], unique=False)
    op.create_table(
        "audit_keys",
        sa.Column("fingerprint", words(32), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False, comment="RSA public key, PKCS #1 DER"),
        sa.Column("private", sa.LargeBinary(), nullable=False, comment="PKCS #8 DER, sealed by the keyring"),
        sa.Column("begins", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_audit_keys")),
    )
    op.create_table(
        "audit_trails",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("arn", words(256), nullable=False),
        sa.Column("account", words(12), nullable=False),
        sa.Column("region", words(32), nullable=False, comment="the trail's home"),
        sa.Column("everywhere", sa.Boolean(), nullable=False, comment="whether it covers all regions"),
        sa.Column("selectors", words(), nullable=False, comment="basic and advanced event selectors, JSON"),
        sa.Column("logging", sa.Boolean(), nullable=False),
        sa.Column(
            "windows", words(), nullable=False, comment="ids of the last events before each start and stop, JSON"
        ),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="id of the last event that was looked at"),
        sa.Column("facts", words(), nullable=False, comment="what GetTrailStatus answers beside, JSON"),
        sa.Column(
            "retired", words(), nullable=True, comment="the record of a deleted trail with events to deliver, JSON"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_trails")),
    )
    op.create_index(op.f("ix_audit_trails_arn"), "audit_trails", ["arn"], unique=False)
