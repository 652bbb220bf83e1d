"""Requests that asynchronous endpoints have accepted and not yet answered."""

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text

from headrace.server.stores.metadata.tables.declaration import METADATA, Identity, Milliseconds

ACCEPTED_INVOCATIONS = Table(
    "accepted_invocations",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True, comment="in the order in which they came"),
    Column("endpoint_arn", String(1024), nullable=False),
    Column("request", Text, nullable=False, comment="what is asked and where the answer goes, JSON"),
    Column("body", LargeBinary, nullable=True, comment="null where the request lies in S3"),
    Column("created", Milliseconds, nullable=False),
    Column("expires", Milliseconds, nullable=False, comment="not begun after this time"),
    Index(None, "endpoint_arn", "id"),
)
