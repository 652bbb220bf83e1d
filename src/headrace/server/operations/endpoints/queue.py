"""The waiting lines of asynchronous endpoints: rows of the metadata, taken in the order in which they came.

A request leaves its line in the transaction in which its answer appears in S3, so that one that the end of the server
interrupts is answered after the next start.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from threading import Lock, Thread
from time import sleep
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from headrace.server.context import Platform
from headrace.server.errors import Denied, InvalidInput, NotFound, OperationError, Unavailable
from headrace.server.model_server import Invocation
from headrace.server.operations.acting import Actor, act_as
from headrace.server.operations.endpoints.asking import ask
from headrace.server.operations.endpoints.routing import choose
from headrace.server.operations.endpoints.serving import Serving, serving
from headrace.server.operations.storage.transfer import Key, parse_uri, read_object, stage
from headrace.server.operations.storage.transfer import put as put_object
from headrace.server.resources import Place
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.invocations import ACCEPTED_INVOCATIONS

LOG = logging.getLogger("headrace.invocations")

LARGEST_INPUT = 1 << 30
"""Bytes of an object that is given to a model. AWS page: Asynchronous inference."""

UNTOLD_TYPE = "binary/octet-stream"
"""What S3 answers for an object that was stored without a type."""

PAUSE_SECONDS = 0.5
"""How long a line waits for instances to serve."""

_COLUMNS = ACCEPTED_INVOCATIONS.c
_LINE = (
    select(_COLUMNS.id, _COLUMNS.expires)
    .where(_COLUMNS.endpoint_arn == bindparam("arn"))
    .order_by(_COLUMNS.id)
    .limit(bindparam("most"))
)
_ROW = select(ACCEPTED_INVOCATIONS).where(_COLUMNS.id == bindparam("id"))
_WAITING = select(_COLUMNS.endpoint_arn, func.count(), func.min(_COLUMNS.id)).group_by(_COLUMNS.endpoint_arn)


@dataclass(frozen=True)
class Accepted:
    """One request, as plain data; `failure` is "" where failures are not kept."""

    endpoint_name: str
    account: str
    region: str
    partition: str
    inference_id: str
    input_location: str
    output: str
    failure: str
    content_type: str
    accept: str
    custom_attributes: str
    seconds: int

    @property
    def place(self) -> Place:
        """Where the endpoint is."""
        return Place(self.account, self.region, self.partition)


@dataclass
class _Line:
    """Who works on one endpoint's line, and on what."""

    at_work: set[int] = field(default_factory=set)
    workers: int = 0


class _Lines:
    def __init__(self) -> None:
        self.lock = Lock()
        self.lines: defaultdict[str, _Line] = defaultdict(_Line)


_lines: WeakKeyDictionary[MetadataStore, _Lines] = WeakKeyDictionary()


def put(platform: Platform, found: Serving, accepted: Accepted, body: bytes | None, *, now: int, expires: int) -> None:
    """Put a request at the end of its endpoint's line; it is there durably when this returns."""
    values = {
        "endpoint_arn": found.arn, "request": json.dumps(asdict(accepted)), "body": body, "created": now,
        "expires": expires,
    }  # fmt: skip
    platform.metadata.write_shared(partial(_insert, values=values))
    _staff(platform, found.arn, slots(platform, found), 1)


def attend(platform: Platform, now: int) -> None:
    """See to it that somebody works on every line; to be called about every second."""
    del now
    with platform.metadata.reading() as connection:
        waiting = [(arn, count, _served(connection, first)) for arn, count, first in connection.execute(_WAITING)]
    for arn, count, found in waiting:
        _staff(platform, arn, slots(platform, found) if found else 1, count)


def backlog(connection: Connection, endpoint_arn: str) -> int:
    """Return how many requests wait at an endpoint, or are being answered."""
    chosen = select(func.count()).where(_COLUMNS.endpoint_arn == endpoint_arn)
    return int(connection.execute(chosen).scalar_one())


def slots(platform: Platform, found: Serving) -> int:
    """Return how many requests of an endpoint may be at work: by default one for each instance."""
    config: Mapping[str, Any] = (found.asynchronous or {}).get("client_config") or {}
    each = int(config.get("max_concurrent_invocations_per_instance") or 1)
    return each * max(1, _instances(platform, found))


def _instances(platform: Platform, found: Serving) -> int:
    return sum(len(platform.models.instances(each.target)) for each in found.variants) if platform.models else 0


def _served(connection: Connection, number: int) -> Serving | None:
    accepted = Accepted(**json.loads(connection.execute(_ROW, {"id": number}).one().request))
    return serving(connection, accepted.place, accepted.endpoint_name)


def _insert(connection: Connection, values: Mapping[str, Any]) -> None:
    connection.execute(insert(ACCEPTED_INVOCATIONS), values)


def _staff(platform: Platform, arn: str, most: int, wanted: int) -> None:
    held = _lines.setdefault(platform.metadata, _Lines())
    with held.lock:
        line = held.lines[arn]
        for _ in range(min(wanted, most - line.workers)):
            line.workers += 1
            Thread(target=_work, args=(platform, held, arn), name="asynchronous", daemon=True).start()


def _work(platform: Platform, held: _Lines, arn: str) -> None:
    line = held.lines[arn]
    while True:
        try:
            number = _next(platform, held, line, arn)
        except Exception:
            LOG.exception("the line of %s can't be read; it is tried again", arn)
            with held.lock:
                line.workers -= 1
            return
        if number is None:
            return
        done = False
        try:
            done = _answer(platform, number)
        except Exception:
            LOG.exception("request %d of %s could not be answered; it is tried again", number, arn)
        if not done:
            sleep(PAUSE_SECONDS)
        with held.lock:
            line.at_work.discard(number)


def _next(platform: Platform, held: _Lines, line: _Line, arn: str) -> int | None:
    """Return the first request that nobody works on; where there is none, the asker's work ends."""
    with held.lock:
        with platform.metadata.reading() as connection:
            rows = connection.execute(_LINE, {"arn": arn, "most": len(line.at_work) + 1}).all()
        for number, _ in rows:
            if number not in line.at_work:
                line.at_work.add(number)
                return int(number)
        line.workers -= 1
        return None


def _answer(platform: Platform, number: int) -> bool:
    """Answer one request into S3; returns False where it has to wait."""
    with platform.metadata.reading() as connection:
        row = connection.execute(_ROW, {"id": number}).one_or_none()
        if row is None:
            return True
        accepted = Accepted(**json.loads(row.request))
        found = serving(connection, accepted.place, accepted.endpoint_name)
        served = found is None or (found.answers and _instances(platform, found) > 0)
        if not served and platform.clock() <= row.expires:
            return False
        actor = _actor(platform, connection, found, accepted)
    if found is None or actor is None:
        platform.metadata.write_shared(partial(_forget, number=number))
        return True
    try:
        if platform.clock() > row.expires:
            raise OperationError("the request waited in the queue for longer than its RequestTTLSeconds and expired")
        content, content_type = _ask(platform, actor, found, accepted, row.body)
    except Unavailable:
        return False
    except OperationError as error:
        _fail(platform, actor, accepted, number, error)
        return True
    try:
        _finish(actor, number, accepted.output, content, content_type)
    except Unavailable:
        return False
    except OperationError as error:
        _fail(platform, actor, accepted, number, error)
    return True


def _actor(platform: Platform, connection: Connection, found: Serving | None, accepted: Accepted) -> Actor | None:
    """Return who answers a request, or None where nobody can any more: endpoint or role are gone."""
    if found is None:
        return None
    try:
        return act_as(platform, connection, found.role_arn, accepted.place)
    except InvalidInput as error:
        LOG.warning("request %s is given up: %s", accepted.inference_id, error.message)
        return None


def _ask(platform: Platform, actor: Actor, found: Serving, accepted: Accepted, body: bytes | None) -> tuple[bytes, str]:
    kind = accepted.content_type
    if body is None:
        found_input, body = _input(actor, accepted.input_location)
        if not kind and found_input.content_type != UNTOLD_TYPE:
            kind = found_input.content_type
    invocation = Invocation(body, kind, accepted.accept, accepted.custom_attributes)
    reply = ask(platform, found, choose(found, ""), invocation, seconds=accepted.seconds)
    return reply.body, reply.content_type


def _input(actor: Actor, location: str) -> tuple[Key, bytes]:
    place = parse_uri(location)
    try:
        return read_object(actor, place.bucket, place.key, most=LARGEST_INPUT)
    except (NotFound, Denied) as error:
        raise OperationError(
            f"Failed to download the input from {location}. Please ensure that there is an object located at the URL "
            f"and that the role passed to CreateModel has permissions to download it. ({error.message})"
        ) from None


def _fail(platform: Platform, actor: Actor, accepted: Accepted, number: int, error: OperationError) -> None:
    LOG.info("asynchronous request %s failed: %s", accepted.inference_id, error.message)
    if accepted.failure:
        try:
            _finish(actor, number, accepted.failure, error.message.encode(), "text/plain")
        except Unavailable:
            raise
        except OperationError as refused:
            LOG.warning("the failure of %s can't be written: %s", accepted.inference_id, refused.message)
        else:
            return
    platform.metadata.write_shared(partial(_forget, number=number))


def _finish(actor: Actor, number: int, uri: str, content: bytes, content_type: str) -> None:
    """Let an answer appear in S3 and its request leave the line, both or neither."""
    place = parse_uri(uri)
    staged = stage(actor, content)
    try:
        with actor.writing() as context:
            put_object(context, place.bucket, place.key, staged, content_type=content_type)
            _forget(context.connection, number)
    except BaseException:
        actor.platform.objects.discard(staged)
        raise


def _forget(connection: Connection, number: int) -> None:
    connection.execute(delete(ACCEPTED_INVOCATIONS).where(_COLUMNS.id == number))
