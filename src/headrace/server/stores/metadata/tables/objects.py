"""Versions of objects, uploads in parts, and the blobs that hold their bytes.

A key is stored as its UTF-8 bytes, so that both databases order keys as S3 does.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, text

from headrace.server.stores.metadata.tables.declaration import METADATA, Identity, Milliseconds

OBJECTS = Table(
    "objects",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True, comment="grows with each version of a key"),
    Column("bucket", String(63), nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("version", String(32), nullable=False, comment='"null" for those made without versioning'),
    Column("latest", Boolean, nullable=False),
    Column("marker", Boolean, nullable=False, comment="a delete marker, which has no bytes"),
    Column("blob", String(64), nullable=False, comment="empty when OBJECT_PARTS names the blobs"),
    Column("size", BigInteger, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("storage_class", String(32), nullable=False),
    Column("owner", String(12), nullable=False, comment="account"),
    Column("modified", Milliseconds, nullable=False),
    Column("record", Text, nullable=False, comment="headers, user metadata, tags, checksum, lock, grants: JSON"),
    Index("ix_objects_history", "bucket", "key", "id"),
    Index(
        "uq_objects_latest",
        "bucket",
        "key",
        unique=True,
        sqlite_where=text("latest = 1"),
        postgresql_where=text("latest"),
    ),
    Index("ix_objects_blob", "blob"),
)

OBJECT_PARTS = Table(
    "object_parts",
    METADATA,
    Column("object", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("start", BigInteger, nullable=False, comment="of its first byte in the object"),
    Column("size", BigInteger, nullable=False),
    Column("blob", String(64), nullable=False),
    Column("record", Text, nullable=False, comment="checksum and encryption of the part: JSON"),
    Index("ix_object_parts_blob", "blob"),
)

UPLOADS = Table(
    "uploads",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("bucket", String(63), nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("owner", String(12), nullable=False, comment="account"),
    Column("initiator", String(512), nullable=False, comment="ARN"),
    Column("initiated", Milliseconds, nullable=False),
    Column("state", String(16), nullable=False, comment="open, or completed with the version it made"),
    Column("version", String(32), nullable=False),
    Column("etag", String(64), nullable=False),
    Column("storage_class", String(32), nullable=False),
    Column("record", Text, nullable=False, comment="what the object will have beside its bytes: JSON"),
    Index("ix_uploads_bucket_key_id", "bucket", "key", "id"),
)

UPLOAD_PARTS = Table(
    "upload_parts",
    METADATA,
    Column("upload", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("blob", String(64), nullable=False),
    Column("modified", Milliseconds, nullable=False),
    Column("record", Text, nullable=False, comment="checksum and encryption of the part: JSON"),
    Index("ix_upload_parts_blob", "blob"),
)

ACCESSES = Table(
    "object_accesses",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("bucket", String(63), nullable=False, comment="whose access log the line is for"),
    Column("at", Milliseconds, nullable=False),
    Column("line", Text, nullable=False, comment="in the format of S3's server access logs"),
)
