"""Bounds act at once; what is asked for while the endpoint changes waits; the service-linked role does it all."""

from typing import Any

import pytest

from headrace.cli.chores import scale_endpoints
from headrace.server.errors import InvalidInput
from headrace.server.operations.endpoints.variants import set_capacity
from headrace.server.operations.identity.service_linked_roles import delete_service_linked_role
from headrace.server.operations.scaling.targets import deregister_scalable_target

ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
NAMED = {
    "service_namespace": "sagemaker",
    "resource_id": "endpoint/scaled/variant/all",
    "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
}


def told(stage: Any, since: int) -> list[tuple[str, str, str]]:
    return [(each["description"], each["cause"], each["status_code"]) for each in stage.activities(since=since)]


def test_other_bounds_scale_at_once(stage: Any) -> None:
    began = stage.now
    stage.register(low=2)
    assert stage.activities(since=began)[0]["status_message"] == (
        "Successfully set desired instance count to 2. Waiting for change to be fulfilled by sagemaker."
    )
    assert stage.count == 2
    stage.attend()
    stage.register(low=1, high=3)
    assert len(stage.activities(since=began)) == 1, "it is within those"
    stage.register(low=1, high=1)
    assert stage.count == 1
    stage.attend()
    assert told(stage, began) == [
        ("Setting desired instance count to 2.", "minimum capacity was set to 2", "Successful"),
        ("Setting desired instance count to 1.", "maximum capacity was set to 1", "Successful"),
    ]


def test_a_change_waits_while_the_endpoint_changes_and_a_newer_one_takes_its_place(stage: Any) -> None:
    began = stage.now
    stage.register()
    stage.call(set_capacity, endpoint_name="scaled", variant_name="all", count=2)
    stage.register(low=3)
    stage.register(low=4)
    assert [each[2] for each in told(stage, began)] == ["Overridden", "Pending"]
    stage.attend()
    stage.attend()
    assert stage.count == 4
    assert [each[2] for each in told(stage, began)] == ["Overridden", "Successful"]


def test_a_change_that_is_overtaken_by_somebody_elses_has_failed(stage: Any) -> None:
    began = stage.now
    stage.register(low=2)
    stage.settle()
    stage.call(set_capacity, endpoint_name="scaled", variant_name="all", count=3)
    stage.settle()
    scale_endpoints(stage.platform, stage.now)
    (failed,) = stage.activities(since=began)
    assert failed["status_message"] == (
        "Failed to set desired instance count to 2. Reason: The endpoint was set to 3 meanwhile."
    )


def test_a_target_that_is_deregistered_leaves_its_activity_unfulfilled(stage: Any) -> None:
    began = stage.now
    stage.register(low=2)
    stage.call(deregister_scalable_target, **NAMED)
    assert told(stage, began)[0][2] == "Unfulfilled"
    assert stage.count == 2, "what was asked of the endpoint is done all the same"
    stage.register()


def test_without_its_role_nothing_is_scaled_and_the_activity_says_so(stage: Any) -> None:
    stage.register()
    stage.track(10)
    stage.call(delete_service_linked_role, role_name=ROLE)
    began = stage.now
    stage.invoked(20, 20, 20)
    assert stage.count == 1
    (failed,) = stage.activities(since=began)
    assert failed["status_code"] == "Failed"
    assert f"{ROLE}. Please ensure that the role exists" in failed["status_message"]
    stage.register()
    stage.invoked(20, 20, 20, 20)
    assert stage.count == 2, "registering makes it again"


def test_an_instance_count_of_none_is_for_asynchronous_endpoints(stage: Any) -> None:
    began = stage.now
    stage.register(low=0)
    stage.track(10)
    stage.invoked(*[0] * 16, attend=False)
    stage.attend()
    assert stage.count == 1
    assert told(stage, began) == []
    with pytest.raises(InvalidInput, match="Maximum capacity 0 cannot be less than minimum capacity 1"):
        stage.register(low=1, high=0)
