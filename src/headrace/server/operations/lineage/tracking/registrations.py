"""Versions in the model registry as artifacts, their groups as contexts, their approvals as actions."""

from __future__ import annotations

from headrace.server.context import Context
from headrace.server.operations import entities
from headrace.server.operations.lineage.tracking.nodes import (
    ASSOCIATED,
    CONTRIBUTED,
    action,
    artifact,
    associate,
    data_of,
    surroundings,
)
from headrace.server.operations.registry.groups import GROUP
from headrace.server.resources import Stored


def track_package(context: Context, stored: Stored) -> None:
    """Keep what a package was made of, its group, and that it was approved or rejected."""
    package = artifact(context, stored.arn, "Model")
    for each in (stored.record.get("inference_specification") or {}).get("containers") or ():
        if uri := data_of(each):
            associate(context, artifact(context, uri, "ModelData"), package, CONTRIBUTED)
    group = entities.find(context, GROUP, stored.parent) if stored.parent else None
    if group is None:
        return
    associate(
        context, package, surroundings(context, f"{group.name}-aws-model-group", group.arn, "ModelGroup"), ASSOCIATED
    )
    status = stored.record.get("model_approval_status")
    if status in ("Approved", "Rejected"):
        name = f"{group.name}-{stored.record['model_package_version']}-aws-{status.lower()}"
        decided = action(context, name, stored.arn, "Approval", {"ModelApprovalStatus": status})
        associate(context, package, decided, ASSOCIATED)
