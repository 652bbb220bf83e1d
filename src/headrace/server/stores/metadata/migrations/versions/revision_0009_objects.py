"""Creates the tables of objects."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Change the tables; to undo it, put the backup of before in place."""
    op.create_table(
        "object_accesses",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("bucket", words(63), nullable=False, comment="whose access log the line is for"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("line", words(), nullable=False, comment="in the format of S3's server access logs"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_object_accesses")),
    )
    op.create_table(
        "object_parts",
        sa.Column("object", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False, comment="of its first byte in the object"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("blob", words(64), nullable=False),
        sa.Column("record", words(), nullable=False, comment="checksum and encryption of the part: JSON"),
        sa.PrimaryKeyConstraint("object", "number", name=op.f("pk_object_parts")),
    )
    op.create_index("ix_object_parts_blob", "object_parts", ["blob"], unique=False)
    op.create_table(
        "objects",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="grows with each version of a key",
        ),
        sa.Column("bucket", words(63), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("version", words(32), nullable=False, comment='"null" for those made without versioning'),
        sa.Column("latest", sa.Boolean(), nullable=False),
        sa.Column("marker", sa.Boolean(), nullable=False, comment="a delete marker, which has no bytes"),
        sa.Column("blob", words(64), nullable=False, comment="empty when OBJECT_PARTS names the blobs"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("etag", words(64), nullable=False),
        sa.Column("storage_class", words(32), nullable=False),
        sa.Column("owner", words(12), nullable=False, comment="account"),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column(
            "record", words(), nullable=False, comment="headers, user metadata, tags, checksum, lock, grants: JSON"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objects")),
    )
    op.create_index("ix_objects_blob", "objects", ["blob"], unique=False)
    op.create_index("ix_objects_history", "objects", ["bucket", "key", "id"], unique=False)
    op.create_index(
        "uq_objects_latest",
        "objects",
        ["bucket", "key"],
        unique=True,
        sqlite_where=sa.text("latest = 1"),
        postgresql_where=sa.text("latest"),
    )
    op.create_table(
        "upload_parts",
        sa.Column("upload", words(64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("etag", words(64), nullable=False),
        sa.Column("blob", words(64), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("record", words(), nullable=False, comment="checksum and encryption of the part: JSON"),
        sa.PrimaryKeyConstraint("upload", "number", name=op.f("pk_upload_parts")),
    )
    op.create_index("ix_upload_parts_blob", "upload_parts", ["blob"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("id", words(64), nullable=False),
        sa.Column("bucket", words(63), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("owner", words(12), nullable=False, comment="account"),
        sa.Column("initiator", words(512), nullable=False, comment="ARN"),
        sa.Column("initiated", sa.BigInteger(), nullable=False),
        sa.Column("state", words(16), nullable=False, comment="open, or completed with the version it made"),
        sa.Column("version", words(32), nullable=False),
        sa.Column("etag", words(64), nullable=False),
        sa.Column("storage_class", words(32), nullable=False),
        sa.Column("record", words(), nullable=False, comment="what the object will have beside its bytes: JSON"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_bucket_key_id", "uploads", ["bucket", "key", "id"], unique=False)
