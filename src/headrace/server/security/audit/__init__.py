"""The audit trail's writing side: what was done, by whom, in AWS's CloudTrail record format."""

from headrace.server.security.audit.entry import Entry
from headrace.server.security.audit.recording import forget, record, settle, wanted

__all__ = ["Entry", "forget", "record", "settle", "wanted"]
