"""Files that resources keep in the store of objects, apart from what users see in S3."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from headrace.server.stores.metadata.tables.declaration import METADATA

ARTIFACTS = Table(
    "artifacts",
    METADATA,
    Column("arn", String(1024), primary_key=True, comment="of the resource"),
    Column("name", String(255), primary_key=True),
    Column("blob", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Index(None, "blob"),
)
