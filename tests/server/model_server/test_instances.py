"""Instances: how they start, answer, run several containers, break and stop."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from headrace.server.errors import InvalidInput
from headrace.server.model_server import (
    Container,
    Instance,
    InstanceGone,
    Invocation,
    ModelFailed,
    ModelTimeout,
)

Start = Callable[..., Instance]
Until = Callable[[Callable[[], object]], None]


def test_one_container(program: Start) -> None:
    instance = program("!")
    assert instance.alive
    reply = instance.invoke(Invocation(b"hello", "text/plain", custom_attributes="trace=1"))
    assert (reply.status, reply.body, reply.content_type) == (200, b"hello!", "text/plain")
    assert reply.custom_attributes == "trace=1"
    assert instance.busy == 0
    assert instance.memory() > 1 << 20


def test_a_pipeline_hands_on_what_each_container_answers(program: Start) -> None:
    instance = program("a", "b", "c")
    assert instance.invoke(Invocation(b"x")).body == b"xabc"
    assert instance.invoke(Invocation(b"x"), container="host-1").body == b"xb"
    assert instance.invoke(Invocation(b"x"), container="container-3").body == b"xc"
    with pytest.raises(InvalidInput, match="no container named 'other'"):
        instance.invoke(Invocation(b"x"), container="other")


def test_a_pipeline_ends_at_the_first_failure(program: Start) -> None:
    instance = program("a", "b")
    reply = instance.invoke(Invocation(b"fail now"))
    assert (reply.status, reply.body, reply.container) == (500, b"it failed", "host-0")
    assert instance.invoke(Invocation(b"fail"), container="container-2").container == "container-2"
    assert instance.invoke(Invocation(b"x")).container == "host-1"
    assert instance.stream(Invocation(b"fail"), container="host-1")[0].container == "host-1"


def test_the_number_of_containers(start: Start, tmp_path: Path) -> None:
    for containers in ([], [Container("own")] * 16):
        with pytest.raises(InvalidInput, match="1 to 15 containers"):
            Instance.start(containers, folder=tmp_path / "none", log=print)


def test_a_body_of_six_mebibytes(program: Start) -> None:
    body = os.urandom(6 << 20)
    assert program("!").invoke(Invocation(body)).body == body + b"!"


def test_two_hundred_threads_get_their_own_answers(program: Start) -> None:
    instance = program("!")

    def ask(number: int) -> bool:
        body = f"{number}-".encode() * (number + 1)
        return all(instance.invoke(Invocation(body)).body == body + b"!" for _ in range(5))

    with ThreadPoolExecutor(200) as pool:
        assert all(pool.map(ask, range(200)))
    assert instance.busy == 0
    assert instance.alive


def test_a_stream_comes_in_parts(program: Start) -> None:
    instance = program("!")
    reply, parts = instance.stream(Invocation(b"stream one two three"))
    assert (reply.status, reply.content_type, reply.body) == (200, "text/plain", b"")
    assert instance.busy == 1
    assert list(parts) == [b"one", b"two", b"three"]
    assert instance.busy == 0
    reply, parts = instance.stream(Invocation(b"fail"))
    assert (reply.status, reply.body, list(parts)) == (500, b"it failed", [])


def test_the_time_of_requests_at_once_adds_up(program: Start) -> None:
    instance = program("!")
    assert instance.worked == 0
    streams = [instance.stream(Invocation(b"stream one two"))[1] for _ in range(2)]
    earliest, before, early = time.monotonic(), instance.worked, time.monotonic()
    assert [next(parts) for parts in streams] == [b"one", b"one"]
    late, after, latest = time.monotonic(), instance.worked, time.monotonic()
    assert 2 * (late - early) - 1e-6 <= after - before <= 2 * (latest - earliest) + 1e-6
    assert [list(parts) for parts in streams] == [[b"two"], [b"two"]]
    assert instance.worked == instance.worked


def test_a_stream_that_is_left_frees_the_instance(program: Start) -> None:
    instance = program("!")
    _, parts = instance.stream(Invocation(b"stream one two three"))
    assert next(parts) == b"one"
    parts.close()  # type: ignore[attr-defined]
    assert instance.busy == 0
    _, parts = instance.stream(Invocation(b"stream one two"))
    del parts
    assert instance.busy == 0
    assert instance.invoke(Invocation(b"x")).body == b"x!"


def test_a_stream_behind_a_container(program: Start) -> None:
    reply, parts = program("_", "!").stream(Invocation(b"stream one two"))
    assert (reply.status, b" ".join(parts)) == (200, b"one two_")
    reply, parts = program("_", "!").stream(Invocation(b"fail"))
    assert (reply.status, list(parts)) == (500, [])


@pytest.mark.parametrize(
    ("body", "said"), [(b"stream one die", "ended in the middle"), (b"stream one fail", "it failed")]
)
def test_a_stream_that_breaks_off(program: Start, body: bytes, said: str) -> None:
    instance = program("!")
    _, parts = instance.stream(Invocation(body))
    assert next(parts) == b"one"
    with pytest.raises(ModelFailed, match=said):
        next(parts)
    assert instance.busy == 0
    assert list(parts) == []


def test_a_stream_that_hangs(program: Start) -> None:
    _, parts = program("!").stream(Invocation(b"stream one hang"), seconds=0.3)
    assert next(parts) == b"one"
    with pytest.raises(ModelTimeout):
        next(parts)


def test_a_process_that_is_killed_in_the_middle(program: Start, process_of: Callable[..., int], until: Until) -> None:
    instance = program("!")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(instance.invoke, Invocation(b"hang"))
        until(lambda: instance.busy == 1)
        os.kill(process_of(instance), signal.SIGKILL)
        with pytest.raises(InstanceGone) as gone:
            asked.result(20)
    assert gone.value.begun
    until(lambda: not instance.alive)
    with pytest.raises(InstanceGone):
        instance.invoke(Invocation(b"x"))


def test_a_process_that_hangs_is_ended(program: Start, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.server.model_server.processes.PING_SECONDS", 0.3)
    instance = program("!")
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(instance.invoke, Invocation(b"hang"))
        until(lambda: instance.busy == 1)
        with pytest.raises(ModelTimeout, match=r"within 0\.3 seconds"):
            instance.invoke(Invocation(b"freeze"), seconds=0.3)
        until(lambda: not instance.alive)
        with pytest.raises(InstanceGone):
            beside.result(20)


def test_a_request_that_takes_too_long_ends_no_other_one(program: Start, until: Until) -> None:
    instance = program("!")
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(instance.invoke, Invocation(b"slow 1"))
        until(lambda: instance.busy == 1)
        with pytest.raises(ModelTimeout, match=r"within 0\.3 seconds"):
            instance.invoke(Invocation(b"hang"), seconds=0.3)
        assert beside.result(20).body == b"slow 1!"
    assert instance.alive
    assert instance.invoke(Invocation(b"x")).body == b"x!"


@pytest.mark.parametrize("body", [b"huge", b"nonsense"])
def test_a_process_that_answers_nonsense(program: Start, body: bytes) -> None:
    instance = program("!")
    with pytest.raises(InstanceGone):
        instance.invoke(Invocation(body))
    assert instance.invoke(Invocation(b"x")).body == b"x!"


def test_more_callers_than_connections_wait_their_turn(program: Start, until: Until) -> None:
    instance = program("!")
    with ThreadPoolExecutor(80) as pool:
        slow = [pool.submit(instance.invoke, Invocation(b"slow 2")) for _ in range(80)]
        until(lambda: instance.busy == 80)
        assert {answer.result(20).body for answer in slow} == {b"slow 2!"}
    assert instance.busy == 0


def test_a_process_that_ends_at_its_start(program: Start) -> None:
    instance = program("!", "broken", wait=False)
    with pytest.raises(ModelFailed, match=r"^the model has lost its weights$"):
        instance.wait(20)
    assert not instance.alive


def test_a_process_that_is_late(tmp_path: Path, start: Start, models: Callable[[str], Container]) -> None:
    instance = start(models("xgboost"), wait=False)
    with pytest.raises(ModelFailed, match="in time"):
        instance.wait(0.01)
    instance.wait(30)
    assert instance.alive


def test_what_cannot_be_started(start: Start) -> None:
    instance = start(Container("example.com/own:1"), wait=False)
    with pytest.raises(ModelFailed):
        instance.wait(60)
    assert not instance.alive
    with pytest.raises(InstanceGone):
        instance.invoke(Invocation(b"x"))


def test_stop_lets_requests_end(program: Start, until: Until) -> None:
    instance = program("!")
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(instance.invoke, Invocation(b"slow 0.5"))
        until(lambda: instance.busy == 1)
        stopped = pool.submit(instance.stop, 20)
        until(lambda: not instance.alive)
        with pytest.raises(InstanceGone) as gone:
            instance.invoke(Invocation(b"x"))
        assert not gone.value.begun
        assert asked.result(20).body == b"slow 0.5!"
        stopped.result(20)
    instance.stop()


def test_stop_ends_what_does_not(program: Start, process_of: Callable[..., int], until: Until) -> None:
    instance = program("!", "?")
    pids = [process_of(instance, number) for number in (0, 1)]
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(instance.invoke, Invocation(b"hang"))
        until(lambda: instance.busy == 1)
        instance.stop(0.1)
        with pytest.raises(InstanceGone):
            asked.result(20)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_stop_before_it_has_started(models: Callable[[str], Container], tmp_path: Path) -> None:
    instance = Instance.start([models("xgboost")], folder=tmp_path / "one", log=print)
    instance.stop(0.1)
    assert not instance.alive
    with pytest.raises(ModelFailed):
        instance.wait(1)


def test_a_flood_of_lines_holds_no_request_up(program: Start) -> None:
    let = threading.Event()
    instance = program("!", log=lambda line: let.wait(30))
    assert instance.invoke(Invocation(b"print 60000"), seconds=20).status == 200
    let.set()


def test_a_socket_below_a_long_path(models: Callable[[str], Container], tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20) / ("path" * 20)
    folder.mkdir(parents=True)
    instance = Instance.start([models("xgboost")], folder=folder / "instance", log=print)
    try:
        instance.wait(30)
        assert instance.invoke(Invocation(b"0.1,0.2,0.3,0.4", "text/csv")).status == 200
    finally:
        instance.stop(0.1)


def test_no_time_left_for_the_last_container(program: Start) -> None:
    started = time.monotonic()
    with pytest.raises(ModelTimeout):
        program("a", "b").invoke(replace(Invocation(b""), body=b"slow 0.4"), seconds=0.6)
    assert time.monotonic() - started < 20
