"""The service-linked role with which Application Auto Scaling changes endpoints."""

from __future__ import annotations

from headrace.server.context import Context
from headrace.server.operations.acting import act_as
from headrace.server.operations.identity.service_linked_roles import create_service_linked_role
from headrace.server.resources import Stored, by_arn

PRINCIPAL = "sagemaker.application-autoscaling.amazonaws.com"
_ROLE = f"aws-service-role/{PRINCIPAL}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_SESSION = "AutoScaling-UpdateDesiredCapacity"


def service_role(context: Context) -> str:
    """Return the ARN of the role, which is made where it is not there; raises Denied unless the caller may do that."""
    arn = f"arn:{context.place.partition}:iam::{context.place.account}:role/{_ROLE}"
    if by_arn(context.connection, arn) is None:
        context.authorise("iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": (PRINCIPAL,)})
        create_service_linked_role(context, aws_service_name=PRINCIPAL)
    return arn


def acting(context: Context, target: Stored) -> Context:
    """Return the context of a target's role in the open transaction; raises InvalidInput where it can't be assumed."""
    role = target.record["role_arn"]
    actor = act_as(context.platform, context.connection, role, context.place, session=_SESSION, principal=PRINCIPAL)
    return actor.context(context.connection)
