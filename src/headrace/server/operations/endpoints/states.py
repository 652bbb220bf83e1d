"""What an endpoint is, the states that it goes through, and how one is found."""

from __future__ import annotations

from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.errors import InvalidInput
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
while Creating or Updating), `failure_reason`, `last_deployment_config`, and `lowered`, its name in lower case. A
deployment has `endpoint_config_name`, `variants`, `shadow_variants`, `data_capture_config`, `async_inference_config`.
"""


def endpoint_named(connection: Connection, place: Place, name: str) -> Stored:
    """Return the endpoint of that name; raises InvalidInput in AWS's words."""
    stored = resources.find(connection, ENDPOINT, place, name)
    if stored is None:
        raise InvalidInput(f'Could not find endpoint "{ENDPOINT.arn_of(place, name, {"lowered": name.lower()})}".')
    return stored
