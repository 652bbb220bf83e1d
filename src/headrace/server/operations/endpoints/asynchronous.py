"""Asynchronous invocations: accepted durably, to be answered into S3. AWS page: InvokeEndpointAsync."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

from headrace.server.context import Context, Later, Platform
from headrace.server.errors import InvalidInput
from headrace.server.operations.endpoints import queue
from headrace.server.operations.endpoints.queue import Accepted
from headrace.server.operations.endpoints.routing import CODE, serving_at
from headrace.server.operations.endpoints.serving import Serving

EXPIRES_SECONDS, TIMEOUT_SECONDS = 21_600, 900


def invoke_endpoint_async(
    context: Context,
    *,
    endpoint_name: str,
    input_location: str = "",
    body: bytes | None = None,
    content_type: str = "",
    accept: str = "",
    custom_attributes: str = "",
    inference_id: str = "",
    s3_output_path_extension: str = "",
    filename: str = "",
    request_ttl_seconds: int = EXPIRES_SECONDS,
    invocation_timeout_seconds: int = TIMEOUT_SECONDS,
) -> Later:
    """Accept a request whose answer, or failure, is written into S3; it survives the server's end from then on.

    The input is `body`, or the object at `input_location`, which is read with the model's role and tells its own
    content type where none is given. AWS page: InvokeEndpointAsync.
    """
    found = serving_at(context, endpoint_name)
    if found.asynchronous is None:
        raise InvalidInput(f"endpoint {endpoint_name} is not asynchronous: it takes InvokeEndpoint only", code=CODE)
    if bool(input_location) == bool(body):
        raise InvalidInput("give exactly one of Body and InputLocation", code=CODE)
    if input_location and not input_location.startswith("s3://"):
        raise InvalidInput(f"InputLocation {input_location!r} is no S3 URI; write s3://bucket/key", code=CODE)
    number = str(uuid4())
    output, failure = _locations(found, s3_output_path_extension, filename, number)
    accepted = Accepted(
        endpoint_name=endpoint_name,
        account=found.place.account,
        region=found.place.region,
        partition=found.place.partition,
        inference_id=inference_id or number,
        input_location=input_location,
        output=output,
        failure=failure,
        content_type=content_type,
        accept=accept,
        custom_attributes=custom_attributes,
        seconds=invocation_timeout_seconds,
    )
    expires = context.now + request_ttl_seconds * 1000
    return Later(partial(_accept, context.platform, found, accepted, body, context.now, expires))


def _accept(
    platform: Platform, found: Serving, accepted: Accepted, body: bytes | None, now: int, expires: int
) -> dict[str, Any]:
    queue.put(platform, found, accepted, body, now=now, expires=expires)
    return {
        "inference_id": accepted.inference_id,
        "output_location": accepted.output,
        "failure_location": accepted.failure or None,
    }


def _locations(found: Serving, extension: str, filename: str, number: str) -> tuple[str, str]:
    """Return the URIs of the answer and of the failure ("" where those are not kept) of the request of a number."""
    config = (found.asynchronous or {}).get("output_config") or {}
    base = config.get("s3_output_path")
    if not base:
        raise InvalidInput(
            f"the configuration {found.configuration} of endpoint {found.name} names no S3OutputPath; make one that "
            "does, and update the endpoint",
            code=CODE,
        )
    folder = f"{base.rstrip('/')}/{extension.strip('/')}".rstrip("/")
    failures = config.get("s3_failure_path") or ""
    return f"{folder}/{filename or f'{number}.out'}", f"{failures.rstrip('/')}/{number}-error.out" if failures else ""
