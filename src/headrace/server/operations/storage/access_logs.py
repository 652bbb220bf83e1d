"""Server access logs: one line a request, gathered and delivered to the bucket that asked for them."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote

from sqlalchemy import delete, insert, select

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.operations.storage import access_lists
from headrace.server.operations.storage.buckets import Bucket
from headrace.server.stores.metadata.tables.objects import ACCESSES

MOST_LINES = 10_000


def note(context: Context, bucket: Bucket, operation: str, key: str, *, version: str = "", size: int = 0) -> None:
    """Keep a line for the access log of a bucket, after the commit of what it tells; nothing where logging is off."""
    if not bucket.record.get("logging"):
        return
    line = log_line(context, bucket, operation, key, version=version, size=size)
    values = {"bucket": bucket.name, "at": context.now, "line": line}

    def keep() -> None:
        with context.platform.metadata.writing() as connection:
            connection.execute(insert(ACCESSES).values(values))

    context.after_commit(keep)


def log_line(
    context: Context, bucket: Bucket, operation: str, key: str, *, version: str = "", size: int = 0, status: int = 200
) -> str:
    """Return a request as S3 writes it ("Amazon S3 server access log format" in the S3 user guide)."""
    request = context.request
    fields: list[Any] = [
        access_lists.canonical_id(bucket.account),
        bucket.name,
        moment(context.now).strftime("[%d/%b/%Y:%H:%M:%S +0000]"),
        request.get("source_address"),
        context.caller.arn,
        context.request_id,
        operation,
        quote(quote(key)) or "-",
        f'"{request.get("method") or operation.split(".")[1]} {_unquoted(request.get("url", "-"))} HTTP/1.1"',
        status,
        "-",
        size or "-",
        size or "-",
        "-",
        "-",
        f'"{_unquoted(request.get("referrer", "-"))}"',
        f'"{_unquoted(request.get("user_agent", "-"))}"',
        version,
        secrets.token_hex(16),
        "SigV4" if context.caller.access_key_id else "-",
        "-",
        "AuthHeader" if context.caller.access_key_id else "-",
        request.get("host"),
        "-",
        "-",
        "-",
    ]
    return " ".join(str(field) if field not in (None, "") else "-" for field in fields)


def pending(context: Context) -> list[tuple[str, list[str]]]:
    """Return the lines that wait, by bucket, and forget them: whoever asks delivers them in the same transaction."""
    connection = context.connection
    rows = connection.execute(select(ACCESSES).order_by(ACCESSES.c.id).limit(MOST_LINES)).all()
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row.bucket, []).append(row.line)
    if rows:
        connection.execute(delete(ACCESSES).where(ACCESSES.c.id.in_([row.id for row in rows])))
    return list(lines.items())


def _unquoted(text: str) -> str:
    return text.replace('"', "%22").replace("\n", "")
