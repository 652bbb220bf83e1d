"""One-click deployment: the best candidate of an AutoML job behind an endpoint, with the rights of the job's role."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.jobs.handle import Job
from headrace.server.jobs.records import JobStopped
from headrace.server.operations.acting import SAGEMAKER, Actor
from headrace.server.operations.endpoints.configurations import ENDPOINT_CONFIG, create_endpoint_config
from headrace.server.operations.endpoints.endpoints import create_endpoint
from headrace.server.operations.endpoints.states import ENDPOINT, FAILED, IN_SERVICE, endpoint_named
from headrace.server.operations.models.models import MODEL, create_model
from headrace.server.resources import Resource, Stored, request_digest

INSTANCE_TYPE = "ml.m5.large"
PATIENCE = 600.0
PERIOD = 0.2


def endpoint_name(stored: Stored, config: Mapping[str, Any]) -> str:
    """Return the endpoint's name: that of the request, or one that is made of the job's."""
    return config.get("endpoint_name") or f"{stored.name}-{request_digest({'arn': stored.arn})[:8]}"


def deploy(job: Job, actor: Actor, role_arn: str, name: str, container: Mapping[str, Any]) -> None:
    """Create model, configuration and endpoint, all called `name`, and wait until it is in service.

    What an earlier attempt made is used. Raises OperationError where the role may not, a name is taken, or the
    endpoint fails; JobStopped when the job is to stop.
    """
    with actor.writing() as context:
        context.authorise("iam:PassRole", role_arn, {"iam:PassedToService": (SAGEMAKER,)})
        _make_model(context, role_arn, name, container)
    with actor.writing() as context:
        _make_endpoint(context, name)
    deadline = time.monotonic() + PATIENCE
    while True:
        with actor.reading() as context:
            endpoint = endpoint_named(context.connection, actor.place, name)
        if endpoint.state == IN_SERVICE:
            return
        if endpoint.state == FAILED or time.monotonic() > deadline:
            reason = endpoint.record.get("failure_reason") or f"it is still {endpoint.state}"
            raise InvalidInput(f"The endpoint {name} did not come up: {reason}")
        if job.cancelled:
            raise JobStopped
        time.sleep(PERIOD)


def _make_model(context: Context, role_arn: str, name: str, container: Mapping[str, Any]) -> None:
    _authorise(context, "CreateModel", MODEL, name)
    found = resources.find(context.connection, MODEL, context.place, name)
    if found is None:
        create_model(context, model_name=name, primary_container=dict(container), execution_role_arn=role_arn)
    elif (found.record.get("primary_container") or {}).get("model_data_url") != container["model_data_url"]:
        raise InvalidInput(f'Cannot create already existing model "{found.arn}".')


def _make_endpoint(context: Context, name: str) -> None:
    variant = {
        "variant_name": "AllTraffic",
        "model_name": name,
        "initial_instance_count": 1,
        "instance_type": INSTANCE_TYPE,
        "initial_variant_weight": 1.0,
    }
    _authorise(context, "CreateEndpointConfig", ENDPOINT_CONFIG, name)
    if resources.find(context.connection, ENDPOINT_CONFIG, context.place, name) is None:
        create_endpoint_config(context, endpoint_config_name=name, production_variants=[variant])
    _authorise(context, "CreateEndpoint", ENDPOINT, name)
    found = resources.find(context.connection, ENDPOINT, context.place, name)
    if found is None:
        create_endpoint(context, endpoint_name=name, endpoint_config_name=name)
    elif (found.record.get("deployment") or found.record["pending"])["endpoint_config_name"] != name:
        raise InvalidInput(f'Cannot create already existing endpoint "{found.arn}".')


def _authorise(context: Context, action: str, resource: Resource, name: str) -> None:
    context.authorise(f"sagemaker:{action}", resource.arn_of(context.place, name, {"lowered": name.lower()}))
