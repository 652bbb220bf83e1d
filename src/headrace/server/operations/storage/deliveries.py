"""Delivering access logs: the waiting lines of each bucket become one object of its target bucket."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations.storage import access_logs
from headrace.server.operations.storage.buckets import Bucket, find_bucket
from headrace.server.operations.storage.objects import write_object


def deliver_access_logs(context: Context) -> int:
    """Write what waits as objects and return how many; lines of a bucket that logs no more are dropped."""
    delivered = 0
    for name, lines in access_logs.pending(context):
        try:
            bucket = find_bucket(context, name)
            logging = bucket.record.get("logging")
            if not logging:
                continue
            write_object(
                context,
                bucket=logging["target_bucket"],
                key=_key(context, bucket, logging),
                content=("\n".join(lines) + "\n").encode(),
                content_type="text/plain",
            )
        except NotFound:
            continue
        delivered += 1
    return delivered


def _key(context: Context, bucket: Bucket, logging: Mapping[str, Any]) -> str:
    when = moment(context.now)
    name = f"{when:%Y-%m-%d-%H-%M-%S}-{secrets.token_hex(8).upper()}"
    if "partitioned_prefix" in (logging.get("target_object_key_format") or {}):
        name = f"{bucket.account}/{bucket.region}/{bucket.name}/{when:%Y/%m/%d}/{name}"
    return f"{logging['target_prefix']}{name}"
