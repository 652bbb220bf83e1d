"""Asks the models behind a variant: limits, time, errors in AWS's words, metrics."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from threading import Lock, Semaphore
from typing import TypeVar

from headrace.server.context import Platform
from headrace.server.errors import OperationError, Throttled, Unavailable
from headrace.server.model_server import Invocation, ModelFailed, ModelServer, ModelTimeout, Reply
from headrace.server.operations.endpoints.measuring import measure
from headrace.server.operations.endpoints.routing import log_group
from headrace.server.operations.endpoints.serving import Serving, Variant
from headrace.server.operations.endpoints.targets import target_folder

LOG = logging.getLogger("headrace.invocations")

INVOCATION_SECONDS = 60.0
"""How long a model may take to answer."""

MOST_COPIES = 64
"""Copies for shadow variants that wait or are being answered at a time; others are not made."""

Answer = TypeVar("Answer")

_busy: Counter[str] = Counter()
_busy_lock = Lock()
_copying = Semaphore(MOST_COPIES)
_copiers = ThreadPoolExecutor(8, "shadow")


class ModelError(OperationError):
    """The model answered with an error, or not in time."""

    status = 424


def model_server(platform: Platform) -> ModelServer:
    """Return what serves models in this process; raises Unavailable in a process of a job."""
    if platform.models is None:
        raise Unavailable("endpoints are served by the server's own process; send the request there")
    return platform.models


def ask(
    platform: Platform,
    found: Serving,
    variant: Variant,
    invocation: Invocation,
    *,
    hostname: str = "",
    seconds: float = INVOCATION_SECONDS,
) -> Reply:
    """Return the answer of a variant's model; raises ModelError, Throttled or Unavailable, and measures it all."""
    models = model_server(platform)
    began = time.perf_counter()
    model: float | None = None
    status = 500
    try:
        invocation = _targeted(platform, found, variant, invocation)
        with _within_limit(found, variant), _told(found, invocation, seconds):
            asked = time.perf_counter()
            reply = models.invoke(variant.target, invocation, container=hostname, seconds=seconds)
            model = time.perf_counter() - asked
        status = reply.status
        if status >= 400:
            raise _model_error(found, status, reply.body.decode("utf-8", "replace"), container=reply.container)
        return reply
    except OperationError as error:
        status = error.status if model is None else status
        raise
    finally:
        measure(platform, found, variant, status=status, model=model, whole=time.perf_counter() - began)


async def ask_soon(platform: Platform, found: Serving, variant: Variant, invocation: Invocation) -> Reply:
    """Return the answer of a variant of one model as `ask` does, waiting in the event loop; raises NotSoon too."""
    models = model_server(platform)
    began = time.perf_counter()
    model: float | None = None
    status = 500
    try:
        with _told(found, invocation, INVOCATION_SECONDS):
            reply = await models.invoke_soon(variant.target, invocation, INVOCATION_SECONDS)
        model, status = time.perf_counter() - began, reply.status
        if status >= 400:
            raise _model_error(found, status, reply.body.decode("utf-8", "replace"), container=reply.container)
    except OperationError as error:
        status = error.status if model is None else status
        measure(platform, found, variant, status=status, model=model, whole=time.perf_counter() - began)
        raise
    measure(platform, found, variant, status=status, model=model, whole=time.perf_counter() - began)
    return reply


def ask_stream(
    platform: Platform, found: Serving, variant: Variant, invocation: Invocation, *, hostname: str = ""
) -> tuple[Reply, Iterator[bytes]]:
    """Return the head of a model's streamed answer and its parts; raises as `ask` does, while the parts come too."""
    models = model_server(platform)
    began = time.perf_counter()
    try:
        invocation = _targeted(platform, found, variant, invocation)
        with _told(found, invocation, INVOCATION_SECONDS):
            reply, parts = models.stream(variant.target, invocation, container=hostname, seconds=INVOCATION_SECONDS)
        if reply.status >= 400:
            body = reply.body or b"".join(parts)
            raise _model_error(found, reply.status, body.decode("utf-8", "replace"), container=reply.container)
    except OperationError as error:
        measure(platform, found, variant, status=_status(error), model=None, whole=time.perf_counter() - began)
        raise

    def timed() -> Iterator[bytes]:
        status = 500
        try:
            with _told(found, invocation, INVOCATION_SECONDS, code="ModelStreamError"):
                yield from parts
            status = 200
        finally:
            took = time.perf_counter() - began
            measure(platform, found, variant, status=status, model=took, whole=took)

    return reply, timed()


def copy(
    platform: Platform, found: Serving, shadow: Variant, invocation: Invocation, done: Callable[[Reply], None]
) -> None:
    """Give a shadow variant a copy of a request, in a thread of its own; its answer goes to `done` alone."""
    if not _copying.acquire(blocking=False):
        return
    _copiers.submit(_copy, partial(ask, platform, found, shadow, invocation), done)


def _copy(asked: Callable[[], Reply], done: Callable[[Reply], None]) -> None:
    try:
        done(asked())
    except OperationError as error:
        LOG.info("a shadow variant failed: %s", error.message)
    except Exception:
        LOG.exception("a shadow variant failed")
    finally:
        _copying.release()


def _targeted(platform: Platform, found: Serving, variant: Variant, invocation: Invocation) -> Invocation:
    if not variant.multi_model:
        return invocation
    folder = target_folder(platform, found, variant, invocation.target_model)
    return replace(invocation, target_folder=str(folder))


@contextmanager
def _within_limit(found: Serving, variant: Variant) -> Iterator[None]:
    """Count a request among those at work; raises Throttled past a serverless variant's MaxConcurrency."""
    if variant.serverless is None:
        yield
        return
    most = variant.serverless.max_concurrency
    with _busy_lock:
        if _busy[variant.target] >= most:
            raise Throttled(
                f"{most} requests are at work at endpoint {found.name}, as many as its MaxConcurrency allows; "
                "send the request again in a moment",
                code="ThrottlingException",
            )
        _busy[variant.target] += 1
    try:
        yield
    finally:
        with _busy_lock:
            _busy[variant.target] -= 1
            if not _busy[variant.target]:
                del _busy[variant.target]


@contextmanager
def _told(found: Serving, invocation: Invocation, seconds: float, *, code: str = "") -> Iterator[None]:
    """Turn what a model fails at into what InvokeEndpoint answers."""
    try:
        yield
    except ModelTimeout:
        if invocation.target_model and not code:
            raise OperationError(
                f"Model {invocation.target_model} for endpoint {found.name} did not answer in {seconds:g} seconds: "
                "it may still be loading; wait and try your request again",
                code="ModelNotReadyException",
                status=429,
            ) from None
        raise _model_error(
            found, 0, "Your invocation timed out while waiting for a response from container primary. Review the "
            "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again.", code,
        ) from None  # fmt: skip
    except ModelFailed as error:
        raise _model_error(found, 500, str(error), code) from None


def _model_error(found: Serving, status: int, message: str, code: str = "", container: str = "") -> ModelError:
    side = "client" if 400 <= status < 500 else "server"
    group = log_group(found.place, found.name)
    said = message[:1024]
    return ModelError(
        f'Received {side} error ({status}) from {container or "primary"} with message "{said}". See the log group '
        f"{group.rpartition('log-group:')[2]} in account {found.place.account} for more information.",
        code=code or "ModelError",
        details={} if code else {"original_status_code": status, "original_message": said, "log_stream_arn": group},
    )


def _status(error: OperationError) -> int:
    return int(error.details.get("original_status_code") or 500) if isinstance(error, ModelError) else error.status
