"""Metrics and their points; source: AWS, "CloudWatch concepts"."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table, Text, UniqueConstraint

from headrace.server.stores.metadata.tables.declaration import METADATA, Identity, Milliseconds

METRICS = Table(
    "metrics",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("dimensions", Text, nullable=False, comment="[[name, value], …] ordered by name, JSON"),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the dimensions"),
    Column("newest", Milliseconds, nullable=False, comment="when points last came in"),
    UniqueConstraint("account", "region", "namespace", "name", "digest"),
    sqlite_autoincrement=True,
)

METRIC_POINTS = Table(
    "metric_points",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("metric", BigInteger, nullable=False, comment="id in metrics"),
    Column("time", Milliseconds, nullable=False, comment="begin of its period"),
    Column("period", Integer, nullable=False, comment="seconds that it sums up: 1, 60, 300 or 3600"),
    Column("merged", Integer, nullable=False, server_default="0", comment="1 once all points alike are in this one"),
    Column("unit", String(20), nullable=False),
    Column("count", Double, nullable=False),
    Column("sum", Double, nullable=False),
    Column("minimum", Double, nullable=False),
    Column("maximum", Double, nullable=False),
    Column("distribution", Text, nullable=True, comment="[[value, count], …], JSON; empty where only sums are known"),
    Index(None, "metric", "time"),
    Index(None, "period", "merged", "time"),
)
