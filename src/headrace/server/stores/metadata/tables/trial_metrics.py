"""Values of metrics that programs log for trial components."""

from sqlalchemy import Column, Double, Index, Integer, String, Table

from headrace.server.stores.metadata.tables.declaration import METADATA, Identity, Milliseconds

TRIAL_METRICS = Table(
    "trial_metrics",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True, comment="in the order in which they came"),
    Column("component", String(1024), nullable=False, comment="ARN"),
    Column("name", String(255), nullable=False),
    Column("time", Milliseconds, nullable=False),
    Column("step", Integer, nullable=True),
    Column("value", Double, nullable=False),
    Index(None, "component", "name", "id"),
)
