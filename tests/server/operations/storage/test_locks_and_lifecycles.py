from datetime import timedelta
from typing import Any

import pytest

from headrace.server.clock import moment
from headrace.server.errors import Conflict, Denied, InvalidInput, NotFound
from headrace.server.operations.storage.expiration import expire, ruled_buckets
from headrace.server.operations.storage.sweeping import forget_finished_uploads, sweep_blobs

DAY = 86_400_000


@pytest.fixture
def locked(storage: Any) -> Any:
    storage.delete_bucket(bucket="bucket")
    storage.create_bucket(bucket="bucket", object_lock_enabled_for_bucket=True)
    return storage


def test_compliance_keeps_a_version_until_its_date(locked: Any) -> None:
    until = moment(locked.now + 2 * DAY)
    version = locked.put("key", b"x", object_lock_mode="COMPLIANCE", object_lock_retain_until_date=until)["version_id"]
    assert locked.head_object(bucket="bucket", key="key")["object_lock_retain_until_date"] == until
    erase = {"bucket": "bucket", "key": "key", "version_id": version, "bypass_governance_retention": True}
    with pytest.raises(Denied):
        locked.delete_object(**erase)
    for retention in ({"mode": "GOVERNANCE", "retain_until_date": until}, None):
        with pytest.raises(Denied):
            locked.put_object_retention(
                bucket="bucket", key="key", retention=retention, bypass_governance_retention=True
            )
    later = {"mode": "COMPLIANCE", "retain_until_date": until + timedelta(days=1)}
    locked.put_object_retention(bucket="bucket", key="key", retention=later)
    assert locked.get_object_retention(bucket="bucket", key="key") == {"retention": later}
    locked.now += 3 * DAY
    locked.delete_object(**erase)
    assert locked.blobs() == 0


def test_governance_gives_way_to_whoever_may_bypass_it(locked: Any) -> None:
    rule = {"default_retention": {"mode": "GOVERNANCE", "days": 1}}
    locked.put_object_lock_configuration(
        bucket="bucket", object_lock_configuration={"object_lock_enabled": "Enabled", "rule": rule}
    )
    version = locked.put("key", b"x")["version_id"]
    assert locked.delete_object(bucket="bucket", key="key")["delete_marker"]
    with pytest.raises(Denied):
        locked.delete_object(bucket="bucket", key="key", version_id=version)
    locked.delete_object(bucket="bucket", key="key", version_id=version, bypass_governance_retention=True)


def test_a_legal_hold_is_lifted_before_anything(locked: Any) -> None:
    version = locked.put("key", b"x", object_lock_legal_hold_status="ON")["version_id"]
    with pytest.raises(Denied):
        locked.delete_object(bucket="bucket", key="key", version_id=version, bypass_governance_retention=True)
    locked.put_object_legal_hold(bucket="bucket", key="key", legal_hold={"status": "OFF"})
    locked.delete_object(bucket="bucket", key="key", version_id=version)


def test_locks_need_a_bucket_that_has_them(storage: Any, locked: Any) -> None:
    with pytest.raises(Conflict):
        locked.put_bucket_versioning(bucket="bucket", versioning_configuration={"status": "Suspended"})
    storage.create_bucket(bucket="plain")
    with pytest.raises(NotFound):
        storage.get_object_lock_configuration(bucket="plain")
    with pytest.raises(InvalidInput, match="missing Object Lock"):
        storage.put("key", bucket="plain", object_lock_legal_hold_status="ON")
    with pytest.raises(InvalidInput, match="must be in the future"):
        locked.put("key", object_lock_mode="GOVERNANCE", object_lock_retain_until_date=moment(locked.now - 1))


def rule(storage: Any, **members: Any) -> None:
    rules = [{"status": "Enabled", "filter": {"prefix": "logs/"}} | members]
    storage.put_bucket_lifecycle_configuration(bucket="bucket", lifecycle_configuration={"rules": rules})


def test_objects_expire_on_their_day(either: Any) -> None:
    either.put("logs/a", b"x")
    either.put("other", b"x")
    rule(either, id="week", expiration={"days": 7})
    assert 'rule-id="week"' in either.head_object(bucket="bucket", key="logs/a")["expiration"]
    assert "expiration" not in either.head_object(bucket="bucket", key="other")
    assert either.run(lambda context: ruled_buckets(context.connection)) == ["bucket"]
    either.now += 7 * DAY
    assert either.run(expire, "bucket") is None
    assert either.list_objects_v2(bucket="bucket")["key_count"] == 2, "AWS counts from the midnight after"
    either.now += DAY
    either.run(expire, "bucket")
    assert [each["key"] for each in either.list_objects_v2(bucket="bucket")["contents"]] == ["other"]
    assert either.blobs() == 1


def test_old_versions_and_lone_markers_expire(storage: Any) -> None:
    storage.put_bucket_versioning(bucket="bucket", versioning_configuration={"status": "Enabled"})
    for body in (b"1", b"2", b"3"):
        storage.put("logs/a", body)
    rule(storage, noncurrent_version_expiration={"noncurrent_days": 1, "newer_noncurrent_versions": 1})
    storage.now += 3 * DAY
    storage.run(expire, "bucket")
    assert len(storage.list_object_versions(bucket="bucket")["versions"]) == 2
    storage.delete_object(bucket="bucket", key="logs/a")
    rule(
        storage,
        noncurrent_version_expiration={"noncurrent_days": 1},
        expiration={"expired_object_delete_marker": True},
    )
    storage.now += 3 * DAY
    storage.run(expire, "bucket")
    listed = storage.list_object_versions(bucket="bucket")
    assert not {"versions", "delete_markers"} & listed.keys()


def test_open_uploads_are_given_up(storage: Any) -> None:
    upload = storage.create_multipart_upload(bucket="bucket", key="logs/a")["upload_id"]
    storage.upload_part(bucket="bucket", key="logs/a", upload_id=upload, part_number=1, body=storage.body(b"x"))
    rule(storage, abort_incomplete_multipart_upload={"days_after_initiation": 1})
    storage.now += 3 * DAY
    storage.run(expire, "bucket")
    assert "uploads" not in storage.list_multipart_uploads(bucket="bucket")
    assert storage.blobs() == 0


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"expiration": {"days": 0}},
        {"expiration": {"days": 1, "date": moment(DAY)}},
        {"expiration": {"date": moment(DAY + 1)}},
        {"expiration": {"days": 1}, "prefix": "x"},
        {"expiration": {"days": 1}, "id": "x" * 256},
        {"expiration": {"days": 1}, "filter": {"prefix": "x", "tag": {"key": "a", "value": "b"}}},
    ],
)
def test_rules_that_make_no_sense(storage: Any, members: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        rule(storage, **members)
    with pytest.raises(NotFound):
        storage.get_bucket_lifecycle_configuration(bucket="bucket")


def test_rules_are_told_as_they_were_given(storage: Any) -> None:
    rule(storage, id="a", expiration={"date": moment(20_000 * DAY)})
    (told,) = storage.get_bucket_lifecycle_configuration(bucket="bucket")["rules"]
    assert told["expiration"] == {"date": moment(20_000 * DAY)}
    storage.delete_bucket_lifecycle(bucket="bucket")


def test_blobs_that_no_row_names_are_swept_when_they_are_old(either: Any) -> None:
    either.put("kept", b"x")
    upload = either.create_multipart_upload(bucket="bucket", key="m")["upload_id"]
    part = either.upload_part(bucket="bucket", key="m", upload_id=upload, part_number=1, body=either.body(b"p"))
    either.complete_multipart_upload(
        bucket="bucket", key="m", upload_id=upload,
        multipart_upload={"parts": [{"part_number": 1, "e_tag": part["e_tag"]}]},
    )  # fmt: skip
    either.objects.commit(either.body(b"orphan"))
    either.body(b"staged")
    assert sweep_blobs(either.platform, age=0) == 0, "the clock of the test is behind: all of it is new"
    either.now = 1 << 42
    assert sweep_blobs(either.platform) == 2
    assert (either.blobs(), either.staged()) == (2, 0)
    assert either.run(forget_finished_uploads) == 1
    assert either.get("m") == b"p"
