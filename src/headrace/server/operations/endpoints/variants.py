"""The weights and instances of an endpoint's variants: what there is, and what there shall be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.endpoints.checks import check_count, check_serverless
from headrace.server.operations.endpoints.fleets import count_of, variants_of
from headrace.server.operations.endpoints.states import CHANGING, UPDATING, endpoint_named, move, wake
from headrace.server.resources import Stored


@dataclass(frozen=True)
class Capacity:
    """How many instances of a variant there are and are wanted, or how much provisioned concurrency.

    `least` is the smallest that can be asked for, `status` is EndpointStatus, `reason` says why the last change failed.
    """

    current: int
    desired: int
    least: int
    serverless: bool
    status: str
    reason: str


@dataclass(frozen=True)
class Wanted:
    """What is asked of a variant; what is None stays as it is. `limits` are of a serverless one, in snake_case."""

    variant: str
    weight: float | None = None
    count: int | None = None
    limits: Mapping[str, Any] | None = None


def capacity_of(context: Context, endpoint_name: str, variant_name: str) -> Capacity:
    """Return the capacity of a variant; raises InvalidInput where there is no such endpoint or variant."""
    stored = endpoint_named(context.connection, context.place, endpoint_name)
    deployment = stored.record.get("deployment")
    found = _variant(stored, deployment, variant_name)
    limits = found.get("desired_serverless_config")
    if limits is None:
        current, desired = found["current_instance_count"], found["desired_instance_count"]
    else:
        present = found.get("current_serverless_config") or {}
        current, desired = (each.get("provisioned_concurrency") or 0 for each in (present, limits))
    least = 0 if limits is None and _is_async(deployment or {}) else 1
    return Capacity(
        current, desired, least, limits is not None, stored.state, stored.record.get("failure_reason") or ""
    )


def set_capacity(context: Context, endpoint_name: str, variant_name: str, count: int) -> None:
    """Ask for `count` instances of a variant, or so much provisioned concurrency of a serverless one.

    What UpdateEndpointWeightsAndCapacities does. Raises InvalidInput where there is no such endpoint or variant, or it
    changes already, LimitExceeded past the quota.
    """
    stored = endpoint_named(context.connection, context.place, endpoint_name)
    if stored.state in CHANGING:
        raise InvalidInput(f'Cannot update in-progress endpoint "{stored.arn}".')
    found = _variant(stored, stored.record.get("deployment"), variant_name)
    if found.get("desired_serverless_config"):
        want(context, stored, [Wanted(variant_name, limits={"provisioned_concurrency": count})])
    else:
        want(context, stored, [Wanted(variant_name, count=count)])


def want(context: Context, stored: Stored, changes: Sequence[Wanted]) -> None:
    """Let an endpoint that is in service have other weights or instances; raises InvalidInput, LimitExceeded."""
    deployment = deepcopy(stored.record["deployment"])
    before = count_of(variants_of(deployment))
    for change in changes:
        _apply(_variant(stored, deployment, change.variant), change, asynchronous=_is_async(deployment))
    if not any(each["desired_weight"] for each in deployment["variants"]):
        raise InvalidInput("The DesiredWeight of every variant would be 0; leave one of them some.")
    check_count(count_of(variants_of(deployment)), before)
    record = {**stored.record, "deployment": deployment}
    record.pop("failure_reason", None)
    move(context.connection, stored, UPDATING, context.now, record)
    wake(context)


def _apply(variant: dict[str, Any], change: Wanted, *, asynchronous: bool) -> None:
    limits = variant.get("desired_serverless_config")
    if change.weight is not None:
        variant["desired_weight"] = change.weight
    if change.count is not None:
        if limits:
            raise InvalidInput(f"The variant {change.variant} is serverless and has no instances to count.")
        if change.count < 1 and not asynchronous:
            raise InvalidInput(f"DesiredInstanceCount of the variant {change.variant} must be 1 or more.")
        variant["desired_instance_count"] = change.count
    if change.limits is not None:
        if not limits:
            raise InvalidInput(f"The variant {change.variant} is not serverless; leave ServerlessUpdateConfig out.")
        variant["desired_serverless_config"] = {**limits, **change.limits}
        check_serverless(variant["desired_serverless_config"])


def _is_async(deployment: Mapping[str, Any]) -> bool:
    return deployment.get("async_inference_config") is not None


def _variant(stored: Stored, deployment: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    found = next((each for each in variants_of(deployment) if each["variant_name"] == name), None)
    if found is None:
        raise InvalidInput(f'The variant name(s) "{name}" is/are not present within endpoint "{stored.arn}".')
    return found
