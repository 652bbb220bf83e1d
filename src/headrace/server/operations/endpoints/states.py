"""What an endpoint is, the states that it goes through, and how one is found and moves on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.events import Event, append
from headrace.server.resources import Place, Resource, Stored

CREATING, UPDATING, ROLLING_BACK, IN_SERVICE, FAILED, DELETING = (
    "Creating", "Updating", "RollingBack", "InService", "Failed", "Deleting",
)  # fmt: skip
CHANGING = frozenset({CREATING, UPDATING, ROLLING_BACK, DELETING})
"""The states in which an endpoint takes no other change."""

ENDPOINT = Resource(
    "sagemaker/endpoint",
    "endpoint",
    "arn:{partition}:sagemaker:{region}:{account}:endpoint/{lowered}",
    states={
        CREATING: (IN_SERVICE, FAILED),
        UPDATING: (IN_SERVICE, ROLLING_BACK, FAILED),
        ROLLING_BACK: (IN_SERVICE, FAILED),
        IN_SERVICE: (UPDATING, DELETING),
        FAILED: (DELETING,),
        DELETING: (),
    },
)
"""An endpoint; its record holds

`deployment` (what serves: `serving.Serving` reads it; absent before the first), `pending` (what is being deployed, only
while Creating or Updating), `failure_reason`, `last_deployment_config`, and `lowered`, its name in lower case.
`fleets.deployment_of` makes a deployment: `endpoint_config_name`, `variants`, `shadow_variants`, `data_capture_config`,
`async_inference_config`, `start_time`.
"""


def arn_of(place: Place, name: str) -> str:
    """Return the ARN that an endpoint of that name has, or would have."""
    return ENDPOINT.arn_of(place, name, {"lowered": name.lower()})


def endpoint_named(connection: Connection, place: Place, name: str) -> Stored:
    """Return the endpoint of that name; raises InvalidInput in AWS's words."""
    stored = resources.find(connection, ENDPOINT, place, name)
    if stored is None:
        raise InvalidInput(f'Could not find endpoint "{arn_of(place, name)}".')
    return stored


def move(
    connection: Connection, stored: Stored, state: str, now: int, record: Mapping[str, Any] | None = None
) -> Stored:
    """Bring an endpoint into a state, with another record if one is given, and tell of it."""
    moved = resources.change(connection, ENDPOINT, stored, now=now, state=state, record=record)
    tell(connection, moved, now)
    return moved


def tell(connection: Connection, stored: Stored, now: int) -> None:
    """Append the event of an endpoint's state (Amazon EventBridge's page on events of SageMaker)."""
    deployment = stored.record.get("deployment") or stored.record.get("pending") or {}
    detail = {
        "EndpointName": stored.name,
        "EndpointArn": stored.arn,
        "EndpointConfigName": deployment.get("endpoint_config_name"),
        "EndpointStatus": _upper(stored.state),
        "CreationTime": stored.created,
        "LastModifiedTime": stored.modified,
        "FailureReason": stored.record.get("failure_reason"),
    }
    append(
        connection,
        Event(
            "SageMaker Endpoint State Change",
            "aws.sagemaker",
            stored.account,
            stored.region,
            stored.arn,
            now,
            {name: value for name, value in detail.items() if value is not None},
        ),
    )


def wake(context: Context) -> None:
    """Let the loop that deploys see, once the transaction has committed, that an endpoint has changed."""
    models = context.platform.models
    if models is not None:
        context.after_commit(models.changed.set)


def _upper(state: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() and place else letter for place, letter in enumerate(state)).upper()
