"""The tables, one module a subject; importing this package declares them all.

Times are integer milliseconds since 1970 (BigInteger), documents are JSON text.
"""

from headrace.server.stores.metadata.tables import (
    access_keys,
    artifacts,
    audit,
    events,
    identity,
    invocations,
    jobs,
    logs,
    metrics,
    objects,
    resources,
    trial_metrics,
)
from headrace.server.stores.metadata.tables.declaration import METADATA

__all__ = [
    "METADATA",
    "access_keys",
    "artifacts",
    "audit",
    "events",
    "identity",
    "invocations",
    "jobs",
    "logs",
    "metrics",
    "objects",
    "resources",
    "trial_metrics",
]
