"""CloudWatch Logs through boto3: groups, streams, events, pages, retention, tags."""

import time
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

HOUR, DAY = 3_600_000, 86_400_000


@pytest.fixture
def logs(client: Any) -> Any:
    return client("logs")


@pytest.fixture
def group(logs: Any) -> str:
    name = f"/tests/{uuid4().hex}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def now() -> int:
    return time.time_ns() // 1_000_000


def put(logs: Any, group: str, *messages: str, stream: str = "s", at: int = 0) -> Any:
    begin = at or now() - 60_000
    events = [{"timestamp": begin + number, "message": message} for number, message in enumerate(messages)]
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def code_of(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    code: str = caught.value.response["Error"]["Code"]
    return code


def messages(answer: Any) -> list[str]:
    return [each["message"] for each in answer["events"]]


def test_a_group_is_named_by_its_own_arn_only(logs: Any, group: str) -> None:
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]

    def found(identifier: str) -> list[str]:
        answer = logs.describe_log_groups(logGroupIdentifiers=[identifier])
        return [each["logGroupName"] for each in answer["logGroups"]]

    assert found(group) == found(arn) == [group]
    assert found(arn.replace("us-east-1", "eu-west-1")) == []


def test_groups_and_streams_come_and_go(logs: Any, group: str) -> None:
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    assert found["arn"] == found["logGroupArn"] + ":*"
    assert "retentionInDays" not in found
    assert code_of(logs.create_log_group, logGroupName=group) == "ResourceAlreadyExistsException"
    call = logs.create_log_stream
    assert code_of(call, logGroupName=group, logStreamName="s") == "ResourceAlreadyExistsException"
    put(logs, group, "abc", "zebra")
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["storedBytes"] == 8 + 2 * 26
    stream = logs.describe_log_streams(logGroupName=group)["logStreams"][0]
    assert stream["lastEventTimestamp"] == stream["firstEventTimestamp"] + 1
    assert stream["arn"] == found["logGroupArn"] + ":log-stream:s"
    logs.delete_log_stream(logGroupName=group, logStreamName="s")
    gone = {"logGroupName": group, "logStreamName": "s"}
    assert code_of(logs.get_log_events, **gone) == "ResourceNotFoundException"
    assert code_of(logs.delete_log_stream, **gone) == "ResourceNotFoundException"
    logs.delete_log_group(logGroupName=group)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
    assert code_of(logs.describe_log_streams, logGroupName=group) == "ResourceNotFoundException"


def test_groups_are_found_by_pattern_and_page(logs: Any) -> None:
    part = uuid4().hex
    names = [f"{part}/a_{number}" for number in range(3)]
    for name in names:
        logs.create_log_group(logGroupName=name)
    logs.create_log_group(logGroupName=f"{part}/axb")
    first = logs.describe_log_groups(logGroupNamePattern=f"{part[5:]}/a_", limit=2)
    rest = logs.describe_log_groups(logGroupNamePattern=f"{part[5:]}/a_", limit=2, nextToken=first["nextToken"])
    assert [each["logGroupName"] for each in first["logGroups"] + rest["logGroups"]] == names
    both = {"logGroupNamePrefix": part, "logGroupNamePattern": part}
    assert code_of(logs.describe_log_groups, **both) == "InvalidParameterException"


def test_streams_are_ordered_by_name_or_last_event(logs: Any, group: str) -> None:
    for number, name in enumerate(("b", "c", "a")):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
        put(logs, group, "x", stream=name, at=now() - 1_000_000 + number * 1_000)

    def listed(**options: Any) -> list[str]:
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName=group, PaginationConfig={"PageSize": 2}, **options
        )
        return [each["logStreamName"] for page in pages for each in page["logStreams"]]

    assert listed() == ["a", "b", "c", "s"]
    assert listed(descending=True) == ["s", "c", "b", "a"]
    assert listed(orderBy="LastEventTime", descending=True) == ["a", "c", "b", "s"]
    assert listed(logStreamNamePrefix="b") == ["b"]
    wrong = {"logGroupName": group, "orderBy": "LastEventTime", "logStreamNamePrefix": "b"}
    assert code_of(logs.describe_log_streams, **wrong) == "InvalidParameterException"


def test_events_are_read_in_both_directions_until_the_token_stays(logs: Any, group: str) -> None:
    put(logs, group, *"abcdefg")
    where = {"logGroupName": group, "logStreamName": "s", "limit": 3}
    head = logs.get_log_events(**where, startFromHead=True)
    assert messages(head) == ["a", "b", "c"]
    second = logs.get_log_events(**where, nextToken=head["nextForwardToken"])
    third = logs.get_log_events(**where, nextToken=second["nextForwardToken"])
    assert messages(second) + messages(third) == ["d", "e", "f", "g"]
    end = logs.get_log_events(**where, nextToken=third["nextForwardToken"])
    assert messages(end) == []
    assert end["nextForwardToken"] == third["nextForwardToken"]
    back = logs.get_log_events(**where, nextToken=second["nextBackwardToken"])
    assert messages(back) == ["a", "b", "c"]
    start = logs.get_log_events(**where, nextToken=back["nextBackwardToken"])
    assert messages(start) == []
    assert start["nextBackwardToken"] == back["nextBackwardToken"]
    tail = logs.get_log_events(**where)
    assert messages(tail) == ["e", "f", "g"]
    put(logs, group, "h", at=now())
    assert messages(logs.get_log_events(**where, nextToken=end["nextForwardToken"])) == ["h"]
    assert code_of(logs.get_log_events, **where, nextToken="f/1/s") == "InvalidParameterException"


def test_an_empty_stream_has_tokens_that_lead_on(logs: Any, group: str) -> None:
    where = {"logGroupName": group, "logStreamName": "s"}
    empty = logs.get_log_events(**where)
    assert messages(empty) == []
    put(logs, group, "a")
    assert messages(logs.get_log_events(**where, nextToken=empty["nextForwardToken"])) == ["a"]


def test_time_ranges_include_their_start_alone(logs: Any, group: str) -> None:
    begin = now() - 50_000
    put(logs, group, *"abcd", at=begin)
    found = logs.get_log_events(logGroupName=group, logStreamName="s", startTime=begin + 1, endTime=begin + 3)
    assert messages(found) == ["b", "c"]
    assert messages(logs.filter_log_events(logGroupName=group, startTime=begin + 1, endTime=begin + 3)) == ["b", "c"]


def test_a_page_holds_a_mebibyte(logs: Any, group: str) -> None:
    for number in range(3):
        put(logs, group, "x" * 500_000, at=now() - 10_000 + number)
    found = logs.get_log_events(logGroupName=group, logStreamName="s", startFromHead=True)
    assert len(found["events"]) == 2
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    assert [len(page["events"]) for page in pages] == [2, 1]


def test_messages_come_back_as_they_were(logs: Any, group: str) -> None:
    given = ["nul \x00 inside", "naïve 🦊", '{"a": 1}', "a\nb", " "]
    put(logs, group, *given)
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="s", startFromHead=True)) == given


def test_events_too_old_and_too_new_are_told_and_left_out(logs: Any, group: str) -> None:
    at = now()
    times = [at - 15 * DAY, at - 14 * DAY - HOUR, at - 1_000, at, at + 3 * HOUR]
    events = [{"timestamp": time, "message": str(number)} for number, time in enumerate(times)]
    answer = logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4}
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="s")) == ["2", "3"]
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    expired = logs.put_log_events(
        logGroupName=group, logStreamName="s",
        logEvents=[{"timestamp": at - 2 * DAY, "message": "a"}, {"timestamp": at, "message": "b"}],
    )  # fmt: skip
    assert expired["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}


@pytest.mark.parametrize(
    "events",
    [
        [(1_000, "b"), (0, "a")],
        [(0, "x" * 600_000), (1, "x" * 600_000)],
        [(-25 * HOUR, "a"), (0, "b")],
        [(0, "x" * 100)] * 8_500,
    ],
)
def test_batches_that_are_refused(logs: Any, group: str, events: list[tuple[int, str]]) -> None:
    given = [{"timestamp": now() - 60_000 + time, "message": message} for time, message in events]
    call = logs.put_log_events
    assert code_of(call, logGroupName=group, logStreamName="s", logEvents=given) == "InvalidParameterException"
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="s")) == []


def test_filtering_spans_streams_and_pages(logs: Any, group: str) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName="t")
    begin = now() - 100_000
    for number in range(6):
        put(
            logs,
            group,
            f"{number} ERROR" if number % 2 else f"{number} fine",
            stream="st"[number % 3 == 0],
            at=begin + number,
        )
    assert messages(logs.filter_log_events(logGroupName=group, filterPattern="ERROR")) == [
        "1 ERROR",
        "3 ERROR",
        "5 ERROR",
    ]
    first = logs.filter_log_events(logGroupName=group, filterPattern="ERROR", limit=2)
    rest = logs.filter_log_events(logGroupName=group, filterPattern="ERROR", limit=2, nextToken=first["nextToken"])
    assert messages(rest) == ["5 ERROR"]
    assert "nextToken" not in rest
    assert messages(logs.filter_log_events(logGroupName=group, logStreamNames=["t"])) == ["0 fine", "3 ERROR"]
    assert messages(logs.filter_log_events(logGroupName=group, logStreamNamePrefix="s", limit=1)) == ["1 ERROR"]
    one = logs.filter_log_events(logGroupName=group, limit=1)["events"][0]
    assert one["logStreamName"] == "t"
    assert one["eventId"]
    call = logs.filter_log_events
    assert code_of(call, logGroupName=group, logStreamNames=["none"]) == "ResourceNotFoundException"
    assert code_of(call, logGroupName=group, filterPattern="{ $.a = ") == "InvalidParameterException"
    assert code_of(call, logGroupName=group, nextToken="forged") == "InvalidParameterException"


def test_retention_and_tags(logs: Any, group: str) -> None:
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    assert found["retentionInDays"] == 7
    call = logs.put_retention_policy
    assert code_of(call, logGroupName=group, retentionInDays=8) == "InvalidParameterException"
    logs.delete_retention_policy(logGroupName=group)
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    logs.tag_resource(resourceArn=found["logGroupArn"], tags={"a": "1", "b": "2"})
    logs.untag_resource(resourceArn=found["logGroupArn"], tagKeys=["a"])
    logs.tag_log_group(logGroupName=group, tags={"c": "3"})
    assert logs.list_tags_for_resource(resourceArn=found["logGroupArn"])["tags"] == {"b": "2", "c": "3"}
    logs.untag_log_group(logGroupName=group, tags=["c"])
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"b": "2"}


def test_metric_filters_measure_what_is_written_from_then_on(logs: Any, client: Any, group: str) -> None:
    namespace = f"Tests/{uuid4().hex}"
    put(logs, group, '{"latency": 100}')
    change = {"metricName": "latency", "metricNamespace": namespace, "metricValue": "$.latency", "unit": "Milliseconds"}
    logs.put_metric_filter(
        logGroupName=group, filterName="slow", filterPattern="{ $.latency > 5 }", metricTransformations=[change]
    )
    put(logs, group, '{"latency": 3}', '{"latency": 7}', '{"latency": 9}', "no json")
    found = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    assert [(each["filterName"], each["metricTransformations"]) for each in found] == [("slow", [change])]
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["metricFilterCount"] == 1
    statistics = client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName="latency", StartTime=time.time() - 600, EndTime=time.time() + 60, Period=3600,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]  # fmt: skip
    assert [(each["Sum"], each["SampleCount"], each["Unit"]) for each in statistics] == [(16.0, 2.0, "Milliseconds")]
    logs.delete_metric_filter(logGroupName=group, filterName="slow")
    call = logs.delete_metric_filter
    assert code_of(call, logGroupName=group, filterName="slow") == "ResourceNotFoundException"
    tested = logs.test_metric_filter(
        filterPattern="[ip, ..., status = 5*]", logEventMessages=["1.1.1.1 - x 500", "1.1.1.1 - x 200"]
    )
    assert tested["matches"] == [
        {"eventNumber": 1, "eventMessage": "1.1.1.1 - x 500", "extractedValues": {"$ip": "1.1.1.1", "$status": "500"}}
    ]
