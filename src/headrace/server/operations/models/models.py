"""Models: created, described, listed, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput
from headrace.server.operations.acting import check_role
from headrace.server.operations.models.definitions import check_containers, check_data, deployed_containers, isolated
from headrace.server.resources import Place, Resource, Stored

MODEL = Resource("sagemaker/model", "model", "arn:{partition}:sagemaker:{region}:{account}:model/{lowered}")
"""A model; its record holds what DescribeModel answers, `deployed`, its containers with nothing left to look up (those
of a model package are its own), and `lowered`, its name in lower case.
"""

INNER = ("deployed", "lowered")


def create_model(
    context: Context,
    *,
    model_name: str,
    primary_container: dict[str, Any] | None = None,
    containers: Sequence[dict[str, Any]] | None = None,
    inference_execution_config: dict[str, Any] | None = None,
    execution_role_arn: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
    vpc_config: dict[str, Any] | None = None,
    enable_network_isolation: bool | None = None,
) -> dict[str, Any]:
    """Store a model whose images, role and data are there. AWS page: CreateModel.

    Raises InvalidInput in AWS's words: no such image, role or data, a name that is taken.
    """
    given = check_containers(primary_container, containers, inference_execution_config)
    if not execution_role_arn:
        raise InvalidInput("ExecutionRoleArn is required here; give the role that may read the model's data.")
    check_role(context, execution_role_arn)
    deployed = deployed_containers(context, given)
    check_data(context, execution_role_arn, deployed)
    if enable_network_isolation:
        deployed = isolated(deployed)
    record = {
        "model_name": model_name,
        "primary_container": _completed(primary_container),
        "containers": [_completed(each) for each in containers] if containers else None,
        "inference_execution_config": inference_execution_config,
        "execution_role_arn": execution_role_arn,
        "vpc_config": vpc_config,
        "enable_network_isolation": bool(enable_network_isolation),
        "deployed": deployed,
        "lowered": model_name.lower(),
    }
    named = {each["key"]: each["value"] for each in tags}
    try:
        stored = resources.create(
            context.connection, MODEL, context.place, model_name, record, now=context.now, tags=named
        )
    except AlreadyExists:
        arn = MODEL.arn_of(context.place, model_name, record)
        raise InvalidInput(f'Cannot create already existing model "{arn}".') from None
    return {"model_arn": stored.arn}


def describe_model(context: Context, *, model_name: str) -> dict[str, Any]:
    """Return what CreateModel was given. AWS page: DescribeModel."""
    return described_model(model_named(context, model_name))


def described_model(stored: Stored) -> dict[str, Any]:
    """Return what describing a model answers."""
    shown = {name: value for name, value in stored.record.items() if value is not None and name not in INNER}
    return {**shown, "model_arn": stored.arn, "creation_time": moment(stored.created)}


def list_models(
    context: Context, *, next_token: str | None = None, max_results: int | None = None, **asked: Any
) -> dict[str, Any]:
    """Return models, the newest first unless asked otherwise. AWS page: ListModels."""
    page = resources.search(
        context.connection,
        MODEL,
        context.place,
        {**asked, "max_results": max_results},
        position=context.position(next_token, of="list_models"),
        sort_order="Descending",
    )
    models = [
        {"model_name": each.name, "model_arn": each.arn, "creation_time": moment(each.created)} for each in page.items
    ]
    return {"models": models, "next_token": context.token(page.position, of="list_models")}


def delete_model(context: Context, *, model_name: str) -> None:
    """Delete a model; endpoints that serve it go on, with a copy of its own definition. AWS page: DeleteModel."""
    resources.remove(context.connection, model_named(context, model_name), MODEL)


def model_named(context: Context, name: str) -> Stored:
    """Return the model of that name; raises InvalidInput in AWS's words."""
    stored = resources.find(context.connection, MODEL, context.place, name)
    if stored is None:
        raise InvalidInput(f'Could not find model "{model_arn(context.place, name)}".')
    return stored


def model_arn(place: Place, name: str) -> str:
    """Return the ARN of the model of that name."""
    return MODEL.arn_of(place, name, {"lowered": name.lower()})


def _completed(container: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if container is None:
        return None
    return {"mode": "SingleModel", **container} if container.get("image") else dict(container)
