"""What the server does by itself, each chore on a real platform with a clock of the test's own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from headrace.cli.chores import UPKEEP, deliver_access, expire_objects, sweep_storage, trim_events
from headrace.cli.opening import open_platform
from headrace.server import events
from headrace.server.app.upkeep import Chore, Upkeep, by_itself
from headrace.server.context import Platform
from headrace.server.operations.storage.buckets import create_bucket
from headrace.server.operations.storage.configuration import put_bucket_logging
from headrace.server.operations.storage.lifecycle import put_bucket_lifecycle_configuration
from headrace.server.operations.storage.listing import list_objects_v2
from headrace.server.operations.storage.multipart import create_multipart_upload
from headrace.server.operations.storage.objects import get_object, write_object
from headrace.server.settings import Settings
from headrace.server.stores.metadata.tables.events import EVENTS

DAY = 86_400_000


class Clock:
    """A clock that stands until it is told to move."""

    def __init__(self) -> None:
        self.now = 1_790_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(tmp_path: Path, clock: Clock) -> Iterator[Platform]:
    with open_platform(Settings(data=tmp_path / "data"), clock) as opened:
        yield opened.platform


def keys(platform: Platform, bucket: str) -> list[str]:
    found = by_itself(platform, lambda context: list_objects_v2(context, bucket=bucket))
    return [each["key"] for each in found.get("contents", [])]


def write(platform: Platform, bucket: str, key: str) -> None:
    by_itself(platform, lambda context: write_object(context, bucket=bucket, key=key, content=key.encode()))


def make_bucket(platform: Platform, name: str) -> None:
    by_itself(platform, lambda context: create_bucket(context, bucket=name))


def test_every_chore_runs_on_an_empty_platform(platform: Platform) -> None:
    for chore in UPKEEP:
        chore.run(platform, platform.clock())
        assert chore.seconds(platform) > 0
    assert len({chore.name for chore in UPKEEP}) == len(UPKEEP)


def test_objects_expire_when_their_rule_says_so(platform: Platform, clock: Clock) -> None:
    make_bucket(platform, "ruled")
    rules = {
        "rules": [
            {"id": "old", "status": "Enabled", "filter": {"prefix": "logs/"}, "expiration": {"days": 3}},
            {
                "id": "open", "status": "Enabled", "filter": {"prefix": ""},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
            },
        ]
    }  # fmt: skip
    by_itself(
        platform,
        lambda context: put_bucket_lifecycle_configuration(context, bucket="ruled", lifecycle_configuration=rules),
    )
    for key in ("logs/a", "logs/b", "kept"):
        write(platform, "ruled", key)
    by_itself(platform, lambda context: create_multipart_upload(context, bucket="ruled", key="never"))
    expire_objects(platform, clock())
    assert keys(platform, "ruled") == ["kept", "logs/a", "logs/b"]
    clock.now += 5 * DAY
    expire_objects(platform, clock())
    assert keys(platform, "ruled") == ["kept"]


def test_access_logs_are_delivered(platform: Platform, clock: Clock) -> None:
    for name in ("watched", "watching"):
        make_bucket(platform, name)
    status: Any = {"logging_enabled": {"target_bucket": "watching", "target_prefix": "access/"}}
    by_itself(
        platform, lambda context: put_bucket_logging(context, bucket="watched", bucket_logging_status=status)
    )  # fmt: skip
    write(platform, "watched", "seen")
    by_itself(platform, lambda context: get_object(context, bucket="watched", key="seen")["body"].close())
    deliver_access(platform, clock())
    delivered = keys(platform, "watching")
    assert len(delivered) == 1
    assert delivered[0].startswith("access/")
    body = by_itself(platform, lambda context: get_object(context, bucket="watching", key=delivered[0])["body"])
    assert b"REST.GET.OBJECT seen" in b"".join(body)


def test_bytes_that_nothing_names_go_after_a_day(platform: Platform, clock: Clock) -> None:
    make_bucket(platform, "swept")
    write(platform, "swept", "named")
    forgotten = platform.objects.stage()
    forgotten.write(b"staged and forgotten")
    staged = platform.objects.stage()
    staged.write(b"committed, and no row names it")
    unnamed = platform.objects.commit(staged.finish())
    clock.now = max(written for _, written in platform.objects.blobs()) + DAY // 2
    sweep_storage(platform, clock())
    assert unnamed in {blob for blob, _ in platform.objects.blobs()}
    clock.now += DAY
    sweep_storage(platform, clock())
    assert len(list(platform.objects.blobs())) == 1
    body = by_itself(platform, lambda context: get_object(context, bucket="swept", key="named")["body"])
    assert b"".join(body) == b"named"
    forgotten.abort()


def test_events_are_kept_for_readers_and_no_longer_than_a_week(platform: Platform, clock: Clock) -> None:
    with platform.metadata.writing() as connection:
        events.subscribe(connection, "slow")
        for _ in range(3):
            events.append(connection, events.Event("Change", "aws.test", platform.account, "us-east-1", "", clock()))

    def left() -> int:
        with platform.metadata.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(EVENTS)).scalar_one())

    trim_events(platform, clock())
    assert left() == 3
    clock.now += 8 * DAY
    trim_events(platform, clock())
    assert left() == 0


def test_a_chore_that_fails_is_tried_again_and_the_last_ones_run_at_the_stop(
    platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    import threading

    tried: list[str] = []
    enough = threading.Event()

    def fail(_: Platform, __: int) -> None:
        tried.append("failing")
        if len(tried) >= 3:
            enough.set()
        raise ValueError("no")

    chores = (
        Chore("failing", lambda _: 0.01, fail),
        Chore("rare", lambda _: 3600.0, lambda *_: tried.append("rare"), at_end=True),
    )
    with Upkeep(platform, chores) as upkeep:
        upkeep.start()
        assert enough.wait(20)
    assert tried[-1] == "rare"
    assert json.dumps(caplog.messages).count("failing failed; it is tried again") >= 3
