"""Invocations of endpoints, answered at once: whole or as a stream.

No transaction is open while a model works: what an operation finds out is read first, and the answer comes later.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from headrace.server.context import Context, Later, Platform
from headrace.server.errors import InvalidInput
from headrace.server.model_server import Invocation, Reply
from headrace.server.operations.endpoints.asking import ask, ask_soon, ask_stream, copy
from headrace.server.operations.endpoints.capture import Payload, capture
from headrace.server.operations.endpoints.routing import (
    CODE,
    check_body,
    check_targets,
    choose,
    copies,
    serving_at,
)
from headrace.server.operations.endpoints.serving import Serving, Variant

NEW_SESSION, CLOSED_SESSION = "x-amzn-sagemaker-new-session-id", "x-amzn-sagemaker-closed-session-id"


def invoke_endpoint(
    context: Context,
    *,
    endpoint_name: str,
    body: bytes,
    content_type: str = "",
    accept: str = "",
    custom_attributes: str = "",
    target_model: str = "",
    target_variant: str = "",
    target_container_hostname: str = "",
    inference_id: str = "",
    enable_explanations: str = "",
    inference_component_name: str = "",
    session_id: str = "",
    prefix_aware_id: str = "",
) -> Later:
    """Ask a model, and answer with what its container says; raises ModelError where that is an error.

    A variant is chosen by weight; any of its instances may answer, whatever `prefix_aware_id` says. AWS page:
    InvokeEndpoint.
    """
    del prefix_aware_id
    found = _at_once(context, endpoint_name, inference_component_name)
    if enable_explanations:
        raise InvalidInput(f"endpoint {endpoint_name} has no explainer: leave out EnableExplanations", code=CODE)
    variant = choose(found, target_variant)
    check_targets(found, variant, target_model, target_container_hostname)
    check_body(variant, body)
    invocation = Invocation(
        body, content_type, accept, custom_attributes, target_model=target_model, session_id=session_id
    )
    platform = context.platform
    simple = not (found.shadows or found.data_capture or variant.serverless or variant.multi_model or variant.direct)
    return Later(
        partial(_answer, platform, found, variant, invocation, target_container_hostname, inference_id),
        partial(_answer_soon, platform, found, variant, invocation) if simple else None,
    )


def invoke_endpoint_with_response_stream(
    context: Context,
    *,
    endpoint_name: str,
    body: bytes,
    content_type: str = "",
    accept: str = "",
    custom_attributes: str = "",
    target_variant: str = "",
    target_container_hostname: str = "",
    inference_id: str = "",
    inference_component_name: str = "",
    session_id: str = "",
    prefix_aware_id: str = "",
) -> Later:
    """Ask a model, and answer with the parts of what its container says, as they come.

    A container that does not stream answers in one part. AWS page: InvokeEndpointWithResponseStream.
    """
    del prefix_aware_id
    found = _at_once(context, endpoint_name, inference_component_name)
    variant = choose(found, target_variant)
    check_targets(found, variant, "", target_container_hostname)
    check_body(variant, body)
    invocation = Invocation(body, content_type, accept, custom_attributes, session_id=session_id)
    return Later(
        partial(_stream, context.platform, found, variant, invocation, target_container_hostname, inference_id)
    )


def _at_once(context: Context, endpoint_name: str, inference_component_name: str) -> Serving:
    found = serving_at(context, endpoint_name)
    if inference_component_name:
        raise InvalidInput(
            f"endpoint {endpoint_name} hosts no inference components: leave out InferenceComponentName", code=CODE
        )
    if found.asynchronous is not None:
        raise InvalidInput(f"endpoint {endpoint_name} is asynchronous: it takes InvokeEndpointAsync only", code=CODE)
    return found


def _answer(
    platform: Platform, found: Serving, variant: Variant, invocation: Invocation, hostname: str, inference_id: str
) -> dict[str, Any]:
    if found.shadows:
        _copy_to_shadows(platform, found, variant, invocation, inference_id)
    reply = ask(platform, found, variant, invocation, hostname=hostname)
    if found.data_capture is not None:
        _capture(platform, found, variant, invocation, inference_id, reply)
    return _answered(variant, invocation, reply)


async def _answer_soon(platform: Platform, found: Serving, variant: Variant, invocation: Invocation) -> dict[str, Any]:
    return _answered(variant, invocation, await ask_soon(platform, found, variant, invocation))


def _answered(variant: Variant, invocation: Invocation, reply: Reply) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "body": reply.body,
        "content_type": reply.content_type or None,
        "invoked_production_variant": variant.name,
        "custom_attributes": reply.custom_attributes or None,
    }
    if invocation.session_id:
        headers = {name.lower(): value for name, value in reply.headers.items()}
        answer["new_session_id"], answer["closed_session_id"] = headers.get(NEW_SESSION), headers.get(CLOSED_SESSION)
    return answer


def _stream(
    platform: Platform, found: Serving, variant: Variant, invocation: Invocation, hostname: str, inference_id: str
) -> dict[str, Any]:
    _copy_to_shadows(platform, found, variant, invocation, inference_id)
    reply, parts = ask_stream(platform, found, variant, invocation, hostname=hostname)

    def events() -> Iterator[dict[str, Any]]:
        kept: list[bytes] = []
        for part in parts:
            if found.data_capture is not None:
                kept.append(part)
            yield {"payload_part": {"bytes": part}}
        if found.data_capture is not None:
            whole = Reply(reply.status, b"".join(kept), reply.content_type)
            _capture(platform, found, variant, invocation, inference_id, whole)

    return {
        "body": events(),
        "content_type": reply.content_type or None,
        "invoked_production_variant": variant.name,
        "custom_attributes": reply.custom_attributes or None,
    }


def _copy_to_shadows(
    platform: Platform, found: Serving, variant: Variant, invocation: Invocation, inference_id: str
) -> None:
    for shadow in copies(found, variant):
        done = partial(_capture, platform, found, shadow, invocation, inference_id)
        copy(platform, found, shadow, invocation, done)


def _capture(
    platform: Platform, found: Serving, variant: Variant, invocation: Invocation, inference_id: str, reply: Reply
) -> None:
    given = Payload(invocation.body, invocation.content_type)
    capture(platform, found, variant, inference_id, given, Payload(reply.body, reply.content_type))
