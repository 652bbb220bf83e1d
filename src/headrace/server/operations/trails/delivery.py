"""Delivers events to the buckets of trails as log files, each event once, whatever is killed meanwhile.

A trail's position among the events is committed with the row that makes its log file visible: either both are there or
neither. Files staged for a transaction that never commits are not visible, and the object store's sweep removes them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import secrets
import string
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from headrace.server.context import Platform
from headrace.server.errors import OperationError
from headrace.server.operations.trails import state
from headrace.server.operations.trails.buckets import folder, put_log_file, stage
from headrace.server.operations.trails.digests import deliver_digests
from headrace.server.operations.trails.lookup import KEPT
from headrace.server.operations.trails.state import Running
from headrace.server.resources import Stored, by_arn
from headrace.server.security import audit
from headrace.server.security.audit.entry import GLOBAL_SOURCES
from headrace.server.security.audit.selection import Facts, selects
from headrace.server.stores.metadata.tables.audit import AUDIT_DIGESTS, AUDIT_EVENTS, AUDIT_FILES, AUDIT_TRAILS
from headrace.server.stores.objects import Staged

LOG = logging.getLogger("headrace.trails")
MOST_EVENTS = 5_000
"""Events that one transaction looks at, and so the most that one log file holds."""
SWEPT_AT_ONCE = 5_000
LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class LogFile:
    """A log file that is staged and not visible yet."""

    region: str
    key: str
    staged: Staged
    hash: str
    oldest: int
    newest: int


def deliver(platform: Platform, now: int) -> None:
    """Write the counts of floods, deliver what is due of every trail, and remove events older than ninety days.

    Log files are due every `settings.trail_seconds`, digests every `settings.digest_seconds`; to be called at least as
    often. What goes wrong with one trail is told by its GetTrailStatus and tried again; the other trails go on.
    """
    audit.settle(platform.metadata, now)
    with platform.metadata.reading() as connection:
        trails = [(each, _trail(connection, each)) for each in state.running(connection)]
    for running, trail in trails:
        if trail is None:
            continue
        if running.windows and _due(running.facts.get("attempted", 0), platform.settings.trail_seconds, now, running):
            _deliver_logs(platform, running.id, trail, now)
        deliver_digests(platform, running.id, trail, now)
        if running.retired is not None:
            _bury(platform, running, now)
    _sweep(platform, now)


def _trail(connection: Connection, running: Running) -> Stored | None:
    if running.retired is None:
        return by_arn(connection, running.arn)
    record = running.retired
    return Stored("cloudtrail/trail", running.account, running.region, record["name"], running.arn, record)


def _due(last: int, seconds: int, now: int, running: Running) -> bool:
    return not running.logging or not 0 <= now - last < seconds * 1000


def _deliver_logs(platform: Platform, number: int, trail: Stored, now: int) -> None:
    while True:
        with platform.metadata.reading() as connection:
            running = state.running(connection, number)[0]
            rows = _events(connection, running)
        last = len(rows) < MOST_EVENTS
        try:
            went_on = _commit(platform, running, trail, rows, now, last=last)
        except OperationError as error:
            LOG.warning("the trail %s could not deliver: %s", trail.name, error.message)
            with platform.metadata.writing() as connection:
                told = error.code or type(error).__name__
                state.note(connection, running, attempted=now, tried=now, error=told)
            return
        if last or not went_on:
            return


def _events(connection: Connection, running: Running) -> Sequence[Row[Any]]:
    columns = AUDIT_EVENTS.c
    query = select(AUDIT_EVENTS).where(columns.id > running.position, columns.account == running.account)
    return connection.execute(query.order_by(columns.id).limit(MOST_EVENTS)).all()


def _chosen(running: Running, trail: Stored, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    wanted = selects(running.selectors)
    before = [running.position, *(row.id for row in rows)]
    return [
        row
        for row, earlier in zip(rows, before, strict=False)
        if state.covers(running, row.id, earlier) and _is_of(running, trail, row) and wanted(_facts(row))
    ]


def _is_of(running: Running, trail: Stored, row: Row[Any]) -> bool:
    if row.source in GLOBAL_SOURCES:
        return bool(trail.record["include_global_service_events"])
    return running.everywhere or row.region == running.region


def _facts(row: Row[Any]) -> Facts:
    document = json.loads(row.document)
    return Facts(
        category=row.category,
        source=row.source,
        name=row.name,
        read_only=row.read_only,
        resources=tuple((each.get("type", ""), each.get("ARN", "")) for each in document.get("resources") or ()),
        caller=document["userIdentity"].get("arn", ""),
        error_code=document.get("errorCode", ""),
    )


def _commit(
    platform: Platform, running: Running, trail: Stored, rows: Sequence[Row[Any]], now: int, *, last: bool
) -> bool:
    chosen = _chosen(running, trail, rows)
    position = rows[-1].id if rows else running.position
    files = [
        _stage_log_file(platform, trail, region, [row for row in chosen if _region(running, row) == region], now)
        for region in sorted({_region(running, row) for row in chosen})
    ]
    done = False
    try:
        with platform.metadata.writing() as connection:
            facts = {"attempted": now} | ({"tried": now, "delivered": now, "error": None} if files else {})
            if not state.advance(connection, running, position, **facts):
                return False
            for each in files:
                put_log_file(platform, connection, trail, each.key, each.staged, now)
                _remember(connection, running, trail, each, now)
            if last:
                state.drained(connection, running)
        done = True
    finally:
        if not done:
            for each in files:
                platform.objects.discard(each.staged)
    return True


def _region(running: Running, row: Row[Any]) -> str:
    region: str = row.region if running.everywhere else running.region
    return region


def _stage_log_file(platform: Platform, trail: Stored, region: str, rows: list[Row[Any]], now: int) -> LogFile:
    content = ('{"Records":[' + ",".join(row.document for row in rows) + "]}").encode()
    when = time.gmtime(now // 1000)
    unique = "".join(secrets.choice(LETTERS) for _ in range(16))
    name = f"{trail.account}_CloudTrail_{region}_{time.strftime('%Y%m%dT%H%MZ', when)}_{unique}.json.gz"
    where = folder(trail.record.get("s3_key_prefix", ""), trail.account, "CloudTrail")
    times = [row.time for row in rows]
    return LogFile(
        region=region,
        key=f"{where}/{region}/{time.strftime('%Y/%m/%d', when)}/{name}",
        staged=stage(platform, gzip.compress(content, 6, mtime=0)),
        hash=hashlib.sha256(content).hexdigest(),
        oldest=min(times),
        newest=max(times),
    )


def _remember(connection: Connection, running: Running, trail: Stored, file: LogFile, now: int) -> None:
    if not trail.record["log_file_validation_enabled"]:
        return
    chains = state.chained(connection, running)
    state.chain(connection, running, file.region, min((row.until for row in chains), default=now))
    connection.execute(
        insert(AUDIT_FILES).values(
            trail=running.id, region=file.region, bucket=trail.record["s3_bucket_name"], key=file.key, hash=file.hash,
            oldest=file.oldest, newest=file.newest, delivered=now,
        )
    )  # fmt: skip


def _bury(platform: Platform, running: Running, now: int) -> None:
    with platform.metadata.writing() as connection:
        left = next(iter(state.running(connection, running.id)), None)
        stopped = running.facts.get("stopped", now)
        if left is None or (now - stopped < KEPT and (left.windows or state.chained(connection, left))):
            return
        connection.execute(delete(AUDIT_FILES).where(AUDIT_FILES.c.trail == running.id))
        connection.execute(delete(AUDIT_DIGESTS).where(AUDIT_DIGESTS.c.trail == running.id))
        connection.execute(delete(AUDIT_TRAILS).where(AUDIT_TRAILS.c.id == running.id))


def _sweep(platform: Platform, now: int) -> None:
    columns = AUDIT_EVENTS.c
    while True:
        with platform.metadata.reading() as connection:
            oldest = connection.execute(
                select(columns.id, columns.time).order_by(columns.id).limit(SWEPT_AT_ONCE)
            ).all()
        past = [row.id for row in oldest if row.time < now - KEPT]
        if not past:
            return
        with platform.metadata.writing() as connection:
            connection.execute(delete(AUDIT_EVENTS).where(columns.id <= past[-1], columns.time < now - KEPT))
        if len(past) < SWEPT_AT_ONCE:
            return
