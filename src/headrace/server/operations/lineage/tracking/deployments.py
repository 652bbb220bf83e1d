"""Endpoints as contexts of lineage, and the deployments of models in them as actions."""

from __future__ import annotations

import hashlib
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.operations import entities
from headrace.server.operations.endpoints.fleets import variants_of
from headrace.server.operations.endpoints.states import IN_SERVICE
from headrace.server.operations.lineage.tracking.nodes import (
    ASSOCIATED,
    CONTRIBUTED,
    action,
    artifact,
    associate,
    data_of,
    surroundings,
)
from headrace.server.operations.models.models import MODEL
from headrace.server.operations.registry.versions import PACKAGE
from headrace.server.resources import Stored


def track_endpoint(context: Context, stored: Stored) -> None:
    """Keep which models an endpoint in service deploys: their data and packages → the deployment → the endpoint."""
    deployment = stored.record.get("deployment")
    if stored.state != IN_SERVICE or not deployment:
        return
    configuration = deployment["endpoint_config_name"]
    digest = hashlib.sha256(configuration.encode()).hexdigest()[:8]
    deployed = action(
        context,
        f"{stored.name}-{digest}-aws-deployment",
        stored.arn,
        "ModelDeployment",
        {"EndpointName": stored.name, "EndpointConfigName": configuration},
    )
    associate(
        context, deployed, surroundings(context, f"{stored.name}-aws-endpoint", stored.arn, "Endpoint"), ASSOCIATED
    )
    for variant in variants_of(deployment):
        for uri in _sources(context, variant):
            associate(context, artifact(context, uri, "ModelData"), deployed, CONTRIBUTED)
        for package in _packages(context, variant["model_name"]):
            associate(context, artifact(context, package, "Model"), deployed, CONTRIBUTED)


def _sources(context: Context, variant: dict[str, Any]) -> list[str]:
    return [uri for each in variant["model"]["containers"] if (uri := data_of(each))]


def _packages(context: Context, model_name: str) -> list[str]:
    """Return the ARNs of the packages that a model is made of, as far as they are still there."""
    model = resources.find(context.connection, MODEL, context.place, model_name)
    if model is None:
        return []
    given = [model.record.get("primary_container"), *(model.record.get("containers") or ())]
    names = [each["model_package_name"] for each in given if each and each.get("model_package_name")]
    return [found.arn for name in names if (found := entities.find(context, PACKAGE, name))]
