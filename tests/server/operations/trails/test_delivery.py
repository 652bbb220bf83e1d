"""Log files: what is in them, and that each event is in one of them once."""

import re
from typing import Any

from headrace.server.operations.trails import delivery
from headrace.server.operations.trails.buckets import put_log_file

MINUTE, DAY = 60_000, 86_400_000


def test_events_are_delivered_once_under_aws_names(bench: Any) -> None:
    bench.trail("once-only")
    iam = bench.client("iam")
    iam.create_user(UserName="once-only")
    bench.deliver()
    first = bench.keys("once-only")
    assert len(first) == 1
    account = bench.platform.account
    name = rf"AWSLogs/{account}/CloudTrail/us-east-1/\d{{4}}/\d\d/\d\d/{account}_CloudTrail_us-east-1_\d{{8}}T\d{{4}}Z_[A-Za-z0-9]{{16}}\.json\.gz"
    assert re.fullmatch(name, first[0])
    head = bench.client("s3").head_object(Bucket="once-only", Key=first[0])
    assert (head["ContentType"], head["ContentEncoding"]) == ("application/json", "gzip")
    iam.delete_user(UserName="once-only")
    bench.deliver()
    bench.deliver()
    events = bench.events("once-only")
    identifiers = [event["eventID"] for event in events]
    assert len(identifiers) == len(set(identifiers))
    names = [event["eventName"] for event in events]
    assert names.count("CreateUser") == names.count("DeleteUser") == names.count("StartLogging") == 1
    assert "CreateTrail" not in names, "nothing from before StartLogging"


def test_nothing_is_due_before_the_period_has_passed(bench: Any) -> None:
    bench.trail("not-yet")
    bench.deliver(4 * MINUTE)
    assert bench.keys("not-yet") == []
    bench.deliver(2 * MINUTE)
    assert len(bench.keys("not-yet")) == 1


def test_stop_logging_is_the_last_event(bench: Any) -> None:
    trails = bench.client("cloudtrail")
    bench.trail("stops-here")
    trails.stop_logging(Name="stops-here")
    bench.client("iam").create_user(UserName="stops-here")
    bench.deliver()
    names = [event["eventName"] for event in bench.events("stops-here")]
    assert "StopLogging" in names
    assert "CreateUser" not in names
    status = trails.get_trail_status(Name="stops-here")
    assert status["IsLogging"] is False
    assert status["StopLoggingTime"]
    assert status["LatestDeliveryTime"]


def test_events_while_stopped_are_left_out_when_it_starts_again(bench: Any) -> None:
    trails, iam = bench.client("cloudtrail"), bench.client("iam")
    bench.trail("pauses")
    trails.stop_logging(Name="pauses")
    iam.create_user(UserName="pauses-while-stopped")
    trails.start_logging(Name="pauses")
    iam.create_user(UserName="pauses-again")
    bench.deliver()
    events = bench.events("pauses")
    users = [event["requestParameters"]["userName"] for event in events if event["eventName"] == "CreateUser"]
    assert users == ["pauses-again"]
    assert [event["eventName"] for event in events].count("StopLogging") == 1


def test_a_deleted_trail_delivers_its_last_events(bench: Any) -> None:
    bench.trail("deleted-trail", EnableLogFileValidation=True)
    bench.client("cloudtrail").delete_trail(Name="deleted-trail")
    bench.deliver()
    assert [event["eventName"] for event in bench.events("deleted-trail")][-1] == "DeleteTrail"
    assert any("CloudTrail-Digest" in key for key in bench.keys("deleted-trail"))
    files = bench.keys("deleted-trail")
    bench.deliver()
    assert bench.keys("deleted-trail") == files


def test_selectors_choose_data_events(bench: Any) -> None:
    bench.trail("chooses-data")
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="chosen-data")
    s3.create_bucket(Bucket="other-data")
    bench.client("cloudtrail").put_event_selectors(
        TrailName="chooses-data",
        EventSelectors=[
            {
                "ReadWriteType": "WriteOnly",
                "IncludeManagementEvents": False,
                "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::chosen-data/in/"]}],
            }
        ],
    )
    s3.put_object(Bucket="chosen-data", Key="in/a", Body=b"secret body")
    s3.get_object(Bucket="chosen-data", Key="in/a")["Body"].read()
    s3.put_object(Bucket="chosen-data", Key="out/a", Body=b"x")
    s3.put_object(Bucket="other-data", Key="in/a", Body=b"x")
    bench.deliver()
    events = bench.events("chooses-data")
    assert [(each["eventName"], each["eventCategory"], each["managementEvent"]) for each in events] == [
        ("PutObject", "Data", False)
    ]
    assert events[0]["resources"][0]["ARN"] == "arn:aws:s3:::chosen-data/in/a"
    assert "secret body" not in str(events)
    looked_up = bench.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "PutObject"}]
    )
    assert looked_up["Events"] == [], "lookups show management events alone"


def test_a_trail_of_all_regions_delivers_each_region_apart(bench: Any) -> None:
    bench.trail("everywhere", IsMultiRegionTrail=True)
    bench.trail("at-home")
    bench.client("logs", "eu-west-1").create_log_group(logGroupName="everywhere")
    bench.client("iam", "eu-west-1").create_user(UserName="everywhere")
    bench.deliver()
    regions = {key.split("/")[3] for key in bench.keys("everywhere")}
    assert regions == {"us-east-1", "eu-west-1"}
    abroad = [each for each in bench.events("everywhere") if each["awsRegion"] == "eu-west-1"]
    assert [each["eventName"] for each in abroad] == ["CreateLogGroup"]
    names = [each["eventName"] for each in bench.events("at-home")]
    assert "CreateUser" in names
    assert "CreateLogGroup" not in names


def test_a_bucket_that_refuses_is_told_and_loses_nothing(bench: Any) -> None:
    bench.trail("refuses")
    s3 = bench.client("s3")
    policy = s3.get_bucket_policy(Bucket="refuses")["Policy"]
    s3.delete_bucket_policy(Bucket="refuses")
    bench.client("iam").create_user(UserName="refuses")
    bench.deliver()
    status = bench.client("cloudtrail").get_trail_status(Name="refuses")
    assert status["LatestDeliveryError"] == "AccessDenied"
    assert bench.keys("refuses") == []
    s3.put_bucket_policy(Bucket="refuses", Policy=policy)
    bench.deliver()
    assert [each["eventName"] for each in bench.events("refuses")].count("CreateUser") == 1
    assert "LatestDeliveryError" not in bench.client("cloudtrail").get_trail_status(Name="refuses")


def test_a_failure_between_the_writes_delivers_once(bench: Any, monkeypatch: Any) -> None:
    bench.trail("fails-once")
    bench.client("iam").create_user(UserName="fails-once")

    def breaks(*given: Any) -> None:
        put_log_file(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "put_log_file", breaks)
        try:
            bench.deliver()
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError("the fault did not happen")
    assert bench.keys("fails-once") == []
    bench.deliver()
    bench.deliver()
    assert [each["eventName"] for each in bench.events("fails-once")].count("CreateUser") == 1


def test_many_events_are_delivered_in_several_files(bench: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(delivery, "MOST_EVENTS", 3)
    bench.trail("in-parts")
    for _ in range(8):
        bench.client("sts").get_caller_identity()
    bench.deliver()
    assert len(bench.keys("in-parts")) >= 3
    assert [each["eventName"] for each in bench.events("in-parts")].count("GetCallerIdentity") == 8


def test_events_past_ninety_days_are_removed(bench: Any) -> None:
    bench.client("iam").create_user(UserName="to-be-swept")
    found = bench.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "to-be-swept"}]
    )
    assert [each["EventName"] for each in found["Events"]] == ["CreateUser"]
    bench.deliver(91 * DAY)
    gone = bench.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "to-be-swept"}]
    )
    assert gone["Events"] == []
