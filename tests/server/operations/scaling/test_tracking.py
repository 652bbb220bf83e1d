"""What target tracking does, minute by minute, with workers that really start and stop."""

from typing import Any

import pytest

from headrace.server.errors import InvalidInput


def causes(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["description"], each["status_code"]) for each in found]


def test_three_minutes_above_the_target_scale_out(stage: Any) -> None:
    began = stage.now
    stage.register()
    stage.track(10)
    stage.invoked(30, 30)
    assert stage.count == 1, "two minutes are too few"
    stage.invoked(25)
    assert stage.count == 3, "the latest minute tells how many"
    (done,) = stage.activities(since=began)
    assert done["description"] == "Setting desired instance count to 3."
    assert done["cause"].startswith("monitor alarm TargetTracking-endpoint/scaled/variant/all-AlarmHigh-")
    assert done["cause"].endswith(" in state ALARM triggered policy track")
    assert done["status_code"] == "Successful"
    assert (
        done["status_message"]
        == "Successfully set desired instance count to 3. Change successfully fulfilled by sagemaker."
    )
    assert done["start_time"] <= done["end_time"]


def test_a_cooldown_holds_back_unless_more_is_needed_than_what_it_added(stage: Any) -> None:
    stage.register(high=5)
    stage.track(10)
    stage.invoked(20, 20, 20)
    assert stage.count == 2
    stage.invoked(15, 15, 15)
    assert stage.count == 2, "15 of one instance need two, which there are"
    stage.invoked(25)
    assert stage.count == 3, "25 of one instance need three"
    stage.invoked(15, 15, 15, 15)
    assert stage.count == 3
    stage.invoked(15, 15)
    assert stage.count == 5, "the five minutes of the cooldown are over: 15 of three instances need five"


def test_values_without_measure_do_no_harm(stage: Any) -> None:
    stage.register(high=2)
    stage.track(1e-100, scale_out_cooldown=0, customized_metric_specification=custom("Other"))
    stage.invoked(1e100, 1e100, 1e100, metric="Other")
    assert stage.count == 2
    stage.invoked(*[-1e100] * 16, metric="Other", attend=False)
    stage.attend()
    assert stage.count == 1
    assert "-AlarmLow-" in stage.activities()[-1]["cause"]


def test_a_short_cooldown_lets_out_again_after_three_new_minutes(stage: Any) -> None:
    stage.register(high=9)
    stage.track(10, scale_out_cooldown=0)
    stage.invoked(20, 20, 20)
    assert stage.count == 2
    stage.invoked(15, 15, 15)
    assert stage.count == 2, "the minute of the change does not count, nor those before"
    stage.invoked(15)
    assert stage.count == 3


def test_fifteen_minutes_below_the_target_scale_in_to_what_the_busiest_needs(stage: Any) -> None:
    stage.register()
    stage.track(10)
    stage.invoked(40, 40, 40)
    assert stage.count == 4
    stage.invoked(*[1] * 14, 4, attend=False)
    stage.attend()
    assert stage.count == 4, "fourteen minutes are too few"
    stage.invoked(1)
    assert stage.count == 2, "4 of four instances need two"
    stage.invoked(*[1] * 16, attend=False)
    stage.attend()
    assert stage.count == 1
    began = stage.now
    stage.invoked(*[1] * 18)
    assert stage.activities(since=began) == []
    (held,) = stage.activities(since=began, every=True)
    assert held["not_scaled_reasons"] == [{"code": "AlreadyAtMinCapacity", "min_capacity": 1}]


def test_nine_tenths_of_the_target_are_not_low_enough_and_gaps_are_no_low_values(stage: Any) -> None:
    stage.register()
    stage.track(10)
    stage.invoked(20, 20, 20)
    stage.invoked(*[9] * 16, attend=False)
    stage.attend()
    assert stage.count == 2
    stage.ahead += 60_000
    stage.invoked(*[1] * 14, attend=False)
    stage.attend()
    assert stage.count == 2, "a minute without a value is between"
    stage.invoked(1)
    assert stage.count == 1


def test_a_policy_that_does_not_scale_in_leaves_that_to_the_others(stage: Any) -> None:
    stage.register()
    stage.track(10, disable_scale_in=True)
    stage.invoked(20, 20, 20)
    assert stage.count == 2
    stage.invoked(*[1] * 20, attend=False)
    stage.attend()
    assert stage.count == 2
    stage.track(50, name="other", customized_metric_specification=custom("InvocationsPerInstance"))
    stage.attend()
    assert stage.count == 1, "the other one does, by the same numbers"


def custom(metric: str, statistic: str = "Sum") -> dict[str, Any]:
    dimensions = [{"name": "EndpointName", "value": "scaled"}, {"name": "VariantName", "value": "all"}]
    return {"namespace": "AWS/SageMaker", "metric_name": metric, "statistic": statistic, "dimensions": dimensions}


def test_of_several_policies_the_largest_wish_counts_and_all_must_be_low_to_scale_in(stage: Any) -> None:
    stage.register(high=9)
    stage.track(10)
    stage.track(5, name="other", customized_metric_specification=custom("Other"))
    stage.invoked(20, 20, attend=False)
    stage.ahead -= 2 * 60_000
    stage.invoked(18, 18, metric="Other", attend=False)
    stage.invoked(20)
    assert stage.count == 2, "the other one has no third value yet"
    stage.ahead -= 60_000
    stage.invoked(*[1] * 17, attend=False)
    stage.attend()
    assert stage.count == 2, "nothing is known of the other one"
    stage.ahead -= 17 * 60_000
    stage.invoked(*[1] * 17, metric="Other", attend=False)
    stage.attend()
    assert stage.count == 1


@pytest.mark.parametrize(
    ("suspended", "after"), [("dynamic_scaling_out_suspended", 1), ("scheduled_scaling_suspended", 2)]
)
def test_scaling_out_can_be_suspended(stage: Any, suspended: str, after: int) -> None:
    stage.register(suspended_state={suspended: True})
    stage.track(10)
    stage.invoked(20, 20, 20)
    assert stage.count == after


def test_scaling_in_can_be_suspended_and_goes_on_later(stage: Any) -> None:
    stage.register()
    stage.track(10)
    stage.invoked(20, 20, 20)
    stage.register(suspended_state={"dynamic_scaling_in_suspended": True})
    stage.invoked(*[1] * 16, attend=False)
    stage.attend()
    assert stage.count == 2
    stage.register(suspended_state={"dynamic_scaling_in_suspended": False})
    stage.attend()
    assert stage.count == 1


def test_what_is_at_its_maximum_is_told_once(stage: Any) -> None:
    stage.register(high=2)
    stage.track(10)
    stage.invoked(90, 90, 90)
    assert stage.count == 2, "the maximum bounds it"
    began = stage.now
    stage.invoked(*[90] * 8)
    assert stage.count == 2
    assert stage.activities(since=began) == []
    (held,) = stage.activities(since=began, every=True)
    assert (held["status_code"], held["description"]) == ("Failed", "Attempting to scale due to alarm triggered")
    assert held["not_scaled_reasons"] == [{"code": "AlreadyAtMaxCapacity", "max_capacity": 2}]


def test_a_metric_may_be_computed_of_others(stage: Any) -> None:
    metric = {"namespace": "AWS/SageMaker", "metric_name": "Queue", "dimensions": custom("Queue")["dimensions"]}
    queries = [
        {"id": "m1", "metric_stat": {"metric": metric, "stat": "Sum"}, "return_data": False},
        {"id": "e1", "expression": "m1 / 10", "return_data": True},
    ]
    stage.register()
    stage.track(1, customized_metric_specification={"metrics": queries})
    stage.invoked(25, 25, 25, metric="Queue")
    assert stage.count == 3
    both = [{**query, "return_data": True} for query in queries]
    for wrong, words in (
        (both, "must return one series, and 2 have"),
        ([{"id": "e1", "expression": "m1 +"}], "can't be computed"),
        ([{"id": "e1", "expression": "m2"}], "m2"),
    ):
        with pytest.raises(InvalidInput, match=words):
            stage.track(1, name="wrong", customized_metric_specification={"metrics": wrong})


def test_what_is_not_allowed_is_kept_as_a_failed_activity(stage: Any) -> None:
    began = stage.now
    stage.register(high=30)
    stage.track(1)
    stage.invoked(25, 25, 25)
    assert stage.count == 1
    (failed,) = stage.activities(since=began)
    assert failed["status_code"] == "Failed"
    assert (
        "Failed to set desired instance count to 25. Reason: The service limit 'instances per"
        in failed["status_message"]
    )
    stage.invoked(25, 25)
    assert len(stage.activities(since=began)) == 1, "it is tried again after three other minutes, not each time"
    stage.invoked(25, 2)
    assert stage.count == 2
    assert causes(stage.activities(since=began))[1:] == [("Setting desired instance count to 2.", "Successful")]
