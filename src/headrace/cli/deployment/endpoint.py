"""An endpoint brought up: its model, its configuration, and the wait for it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.cli.deployment.clients import Clients, DeployError
from headrace.ml.errors import OptionError

POLL = 0.2
PATIENCE = 900.0
ROOM, DIGITS = 46, 16
"""Characters of an endpoint's name that the names of its parts begin with, and of the digest that follows."""
IN_SERVICE, CREATING, FAILED = "InService", "Creating", "Failed"


@dataclass(frozen=True)
class Wanted:
    """The endpoint that is asked for; what it needs has the digest of its content in its name."""

    name: str
    instances: int
    instance_type: str
    replace: bool
    wait: bool

    def model(self, digest: str) -> str:
        """Return the name of the SageMaker model of an archive with this SHA-256."""
        return f"{self.name[:ROOM].rstrip('-')}-{digest[:DIGITS]}"

    def configuration(self, digest: str) -> str:
        """Return the name of the endpoint configuration of that model, on these instances."""
        return self.model(hashlib.sha256(f"{digest} {self.instances} {self.instance_type}".encode()).hexdigest())


def describe(clients: Clients, name: str) -> dict[str, Any] | None:
    """Return the description of an endpoint, None where there is none of that name."""
    from botocore.exceptions import ClientError

    try:
        found: dict[str, Any] = clients.sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find" in error.response["Error"]["Message"]:
            return None
        raise
    return found


def serving_already(clients: Clients, wanted: Wanted, digest: str, say: Callable[[str], None]) -> str | None:
    """Return the endpoint's ARN where it has this model already, None where it is to be created or updated.

    Raises OptionError when the name is in use for something else and may not be replaced.
    """
    found = describe(clients, wanted.name)
    if found is None:
        return None
    configuration = wanted.configuration(digest)
    if found.get("EndpointConfigName") == configuration and found["EndpointStatus"] in (IN_SERVICE, CREATING):
        say(f"the endpoint {wanted.name} has this model already")
        if wanted.wait:
            _wait(clients, wanted.name, configuration, say)
        return str(found["EndpointArn"])
    if not wanted.replace:
        raise OptionError(
            f"an endpoint {wanted.name} exists already ({found['EndpointStatus']}) and is not this model's; pass "
            "--replace to let it serve this model without a pause, or choose another --name"
        )
    return None


def bring_up(
    clients: Clients, wanted: Wanted, digest: str, container: Mapping[str, Any], role: str, say: Callable[[str], None]
) -> str:
    """Create the model and the configuration where they are absent, and the endpoint or its update.

    Returns the endpoint's ARN, once it serves if that is waited for; raises DeployError when it fails.
    """
    sagemaker, unit, configuration = clients.sagemaker, wanted.model(digest), wanted.configuration(digest)
    _once(lambda: sagemaker.create_model(ModelName=unit, PrimaryContainer=container, ExecutionRoleArn=role))
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": unit,
        "InitialInstanceCount": wanted.instances,
        "InstanceType": wanted.instance_type,
        "InitialVariantWeight": 1.0,
    }
    _once(lambda: sagemaker.create_endpoint_config(EndpointConfigName=configuration, ProductionVariants=[variant]))
    found = describe(clients, wanted.name)
    if found is not None and found["EndpointStatus"] == FAILED:
        say(f"removing the endpoint {wanted.name}, which has failed")
        sagemaker.delete_endpoint(EndpointName=wanted.name)
        _until(clients, wanted.name, lambda answer: answer is None, say)
        found = None
    given = {"EndpointName": wanted.name, "EndpointConfigName": configuration}
    if found is None:
        arn = sagemaker.create_endpoint(**given)["EndpointArn"]
    else:
        arn = sagemaker.update_endpoint(**given)["EndpointArn"]
    if wanted.wait:
        _wait(clients, wanted.name, configuration, say)
    return str(arn)


def _once(create: Callable[[], Any]) -> None:
    """Create what has the digest of its content in its name: where it exists it is the same."""
    from botocore.exceptions import ClientError

    try:
        create()
    except ClientError as error:
        if "already exist" not in error.response["Error"]["Message"]:
            raise


def _wait(clients: Clients, name: str, configuration: str, say: Callable[[str], None]) -> None:
    start = time.monotonic()
    answer = _until(clients, name, lambda found: found is None or not found["EndpointStatus"].endswith("ing"), say)
    if answer is None:
        raise DeployError(f"the endpoint {name} was deleted meanwhile; deploy it again")
    if answer["EndpointStatus"] != IN_SERVICE or answer["EndpointConfigName"] != configuration:
        reason = answer.get("FailureReason") or f"it is {answer['EndpointStatus']} with its earlier configuration"
        raise DeployError(f"the endpoint {name} does not serve this model: {reason}")
    say(f"in service after {time.monotonic() - start:.1f} s")


def _until(
    clients: Clients, name: str, done: Callable[[dict[str, Any] | None], bool], say: Callable[[str], None]
) -> dict[str, Any] | None:
    """Describe the endpoint until `done`, and tell each new state."""
    deadline, told = time.monotonic() + PATIENCE, ""
    while not done(answer := describe(clients, name)):
        status = answer["EndpointStatus"] if answer else ""
        if status != told:
            told = status
            say(f"{name}: {status}")
        if time.monotonic() > deadline:
            raise DeployError(
                f"the endpoint {name} is still {status} after {PATIENCE / 60:g} min; look at its logs in "
                f"/aws/sagemaker/Endpoints/{name}"
            )
        time.sleep(POLL)
    return answer
