"""Roles that belong to an AWS service: made for it, trusted by it alone, not to be changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, NotFound
from headrace.server.operations.identity import grants
from headrace.server.operations.identity.answers import role_answer
from headrace.server.operations.identity.entities import ROLE, create, get
from headrace.server.operations.identity.managed import aws_policies
from headrace.server.operations.identity.roles import SERVICE_PATH, forget_role


@dataclass(frozen=True)
class Template:
    """What the role of one AWS service is called, which of AWS's policies it has, whether a suffix tells more apart."""

    role: str
    policy: str
    suffix: bool = False


_TASKS = "service-linked role deletions"

TEMPLATES = {
    "autoscaling.amazonaws.com": Template("AWSServiceRoleForAutoScaling", "AutoScalingServiceRolePolicy", True),
    "cloudtrail.amazonaws.com": Template("AWSServiceRoleForCloudTrail", "CloudTrailServiceRolePolicy"),
    "config.amazonaws.com": Template("AWSServiceRoleForConfig", "AWSConfigServiceRolePolicy"),
    "ecs.amazonaws.com": Template("AWSServiceRoleForECS", "AmazonECSServiceRolePolicy"),
    "elasticloadbalancing.amazonaws.com": Template(
        "AWSServiceRoleForElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"
    ),
    "events.amazonaws.com": Template("AWSServiceRoleForCloudWatchEvents", "CloudWatchEventsServiceRolePolicy"),
    "lexv2.amazonaws.com": Template("AWSServiceRoleForLexV2Bots", "AmazonLexV2BotPolicy", True),
    "rds.amazonaws.com": Template("AWSServiceRoleForRDS", "AmazonRDSServiceRolePolicy"),
    "sagemaker.amazonaws.com": Template(
        "AWSServiceRoleForAmazonSageMakerNotebooks", "AmazonSageMakerNotebooksServiceRolePolicy"
    ),
    "hyperpod.sagemaker.amazonaws.com": Template(
        "AWSServiceRoleForSageMakerHyperPod", "AmazonSageMakerHyperPodServiceRolePolicy"
    ),
    "sagemaker.application-autoscaling.amazonaws.com": Template(
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "AWSApplicationAutoscalingSageMakerEndpointPolicy",
    ),
    "spot.amazonaws.com": Template("AWSServiceRoleForEC2Spot", "AWSEC2SpotServiceRolePolicy"),
}


def create_service_linked_role(
    context: Context, *, aws_service_name: str, description: str | None = None, custom_suffix: str | None = None
) -> dict[str, Any]:
    """Make the role of an AWS service. AWS page: CreateServiceLinkedRole.

    Raises InvalidInput for a service without one, and when the role exists (in AWS too that is no EntityAlreadyExists).
    """
    template = TEMPLATES.get(aws_service_name)
    if template is None:
        raise InvalidInput(
            f"Service role creation policy for {aws_service_name} does not exist; services with one: "
            f"{', '.join(sorted(TEMPLATES))}"
        )
    if custom_suffix and not template.suffix:
        raise InvalidInput(f"Custom suffix is not allowed for {aws_service_name}")
    name = f"{template.role}_{custom_suffix}" if custom_suffix else template.role
    statement = {"Effect": "Allow", "Principal": {"Service": aws_service_name}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    path = f"{SERVICE_PATH}{aws_service_name}/"
    record = {"path": path, "description": description, "max_session_duration": 3600}
    if resources.find(context.connection, ROLE, context.place, name):
        raise InvalidInput(f"Service role name {name} has been taken in this account, please try a different suffix.")
    stored = create(context, ROLE, name, record, policy=trust)
    policy = aws_policies().get(f"{SERVICE_PATH}{template.policy}")
    if policy:
        grants.give(context, stored.record["id"], grants.ATTACHED, policy.arn(context.place.partition))
    return {"role": role_answer(context, stored, whole=True)}


def delete_service_linked_role(context: Context, *, role_name: str) -> dict[str, Any]:
    """Delete the role of an AWS service, at once. AWS page: DeleteServiceLinkedRole."""
    stored = get(context, ROLE, role_name)
    path = stored.record["path"]
    if not path.startswith(SERVICE_PATH):
        raise NotFound(f"The service-linked role with name {role_name} cannot be found.")
    forget_role(context, stored)
    token = context.token([role_name, context.now], of=_TASKS)
    return {"deletion_task_id": f"task{path}{role_name}/{token}"}


def get_service_linked_role_deletion_status(context: Context, *, deletion_task_id: str) -> dict[str, Any]:
    """Tell how a deletion went: SUCCEEDED, as deletions are done at once. AWS page: as its name."""
    try:
        context.position(deletion_task_id.rpartition("/")[2] or "-", of=_TASKS)
    except InvalidInput:
        raise NotFound(f"The deletion task {deletion_task_id} cannot be found.") from None
    return {"status": "SUCCEEDED"}
