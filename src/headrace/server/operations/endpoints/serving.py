"""What an invocation must know of an endpoint, in one cheap read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from headrace.server.operations.endpoints.states import ENDPOINT, IN_SERVICE, ROLLING_BACK, UPDATING
from headrace.server.resources import Place
from headrace.server.stores.metadata.tables.resources import RESOURCES

_COLUMNS = RESOURCES.c
_HEAD = select(_COLUMNS.arn, _COLUMNS.state, _COLUMNS.version, _COLUMNS.id).where(
    *(_COLUMNS[name] == bindparam(name) for name in ("kind", "account", "region", "parent", "name"))
)
_RECORD = select(_COLUMNS.record).where(_COLUMNS.arn == bindparam("arn"))
_MOST_KEPT = 1_000
_KEPT: dict[tuple[Any, ...], Serving] = {}


@dataclass(frozen=True)
class Serverless:
    """The limits of a serverless variant; one process serves it, whatever is asked."""

    memory_mb: int
    max_concurrency: int
    provisioned: int = 0


@dataclass(frozen=True)
class Variant:
    """One production or shadow variant that serves.

    `target` is its name in the ModelServer. `direct` tells that an invocation names one of `hostnames` (inference mode
    Direct); otherwise several containers are a pipeline. With `multi_model` an invocation names a TargetModel, whose
    archive lies under the S3 prefix `model_data` and is fetched with the rights of `role_arn`.
    """

    name: str
    target: str
    model_name: str
    weight: float
    hostnames: tuple[str, ...] = ()
    direct: bool = False
    multi_model: bool = False
    model_data: str = ""
    role_arn: str = ""
    serverless: Serverless | None = None
    instance_count: int = 1


@dataclass(frozen=True)
class Serving:
    """What serves at an endpoint now.

    `status` is EndpointStatus; `variants` share the traffic by weight and `shadows` get copies of it, by their weight
    over the production variant's. `data_capture` and `asynchronous` are the configuration's DataCaptureConfig and
    AsyncInferenceConfig in snake_case, None where it has none. `role_arn` is that of the first variant's model.
    """

    arn: str
    name: str
    place: Place
    status: str
    configuration: str = ""
    variants: tuple[Variant, ...] = ()
    shadows: tuple[Variant, ...] = ()
    data_capture: Mapping[str, Any] | None = None
    asynchronous: Mapping[str, Any] | None = None
    role_arn: str = ""

    @property
    def answers(self) -> bool:
        """Whether it takes invocations: in service, or on the way to another configuration."""
        return self.status in (IN_SERVICE, UPDATING, ROLLING_BACK)


def serving(connection: Connection, place: Place, endpoint_name: str) -> Serving | None:
    """Return what serves at the endpoint of that name, or None where there is no such endpoint.

    What was read of one version of the endpoint is kept, so that a request costs one look at a short row.
    """
    key = {"kind": ENDPOINT.kind, "account": place.account, "region": place.region, "parent": "", "name": endpoint_name}
    head = connection.execute(_HEAD, key).one_or_none()
    if head is None:
        return None
    kept = _KEPT.get(tuple(head))
    if kept is None:
        record = json.loads(connection.execute(_RECORD, {"arn": head.arn}).scalar_one())
        kept = read_serving(head.arn, endpoint_name, place, head.state, record)
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        _KEPT[tuple(head)] = kept
    return kept


def read_serving(arn: str, name: str, place: Place, status: str, record: Mapping[str, Any]) -> Serving:
    """Return what serves at an endpoint by its record."""
    deployment = record.get("deployment") or {}
    variants = [_read_variant(arn, each) for each in deployment.get("variants", ())]
    return Serving(
        arn,
        name,
        place,
        status,
        deployment.get("endpoint_config_name", ""),
        tuple(variants),
        tuple(_read_variant(arn, each) for each in deployment.get("shadow_variants", ())),
        deployment.get("data_capture_config"),
        deployment.get("async_inference_config"),
        variants[0].role_arn if variants else "",
    )


def target_of(arn: str, variant: str) -> str:
    """Return the name under which a variant of an endpoint is known to the ModelServer."""
    return f"{arn}/{variant}"


def _read_variant(arn: str, variant: Mapping[str, Any]) -> Variant:
    model = variant["model"]
    limits = variant.get("current_serverless_config")
    many = [each for each in model["containers"] if each.get("mode") == "MultiModel"]
    return Variant(
        name=variant["variant_name"],
        target=target_of(arn, variant["variant_name"]),
        model_name=variant["model_name"],
        weight=variant["current_weight"],
        hostnames=tuple(each.get("container_hostname", "") for each in model["containers"]),
        direct=model["direct"],
        multi_model=bool(many),
        model_data=many[0]["model_data_url"] if many else "",
        role_arn=model["execution_role_arn"],
        serverless=_read_limits(limits) if limits else None,
        instance_count=variant.get("current_instance_count", 0),
    )


def _read_limits(limits: Mapping[str, Any]) -> Serverless:
    provisioned = limits.get("provisioned_concurrency") or 0
    return Serverless(limits["memory_size_in_mb"], limits["max_concurrency"], provisioned)
