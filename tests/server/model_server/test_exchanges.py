"""Requests that wait in the event loop: answers, limits, processes that are late, gone or talk nonsense."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headrace.server.errors import Unavailable
from headrace.server.model_server import Instance, InstanceGone, Invocation, ModelServer, ModelTimeout, NotSoon
from headrace.server.model_server.connections import MOST
from headrace.server.model_server.frames import JOINED

Start = Callable[..., Instance]


def several(instance: Instance, *asked: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run them at the same time in a loop of their own, which outlives no connection; what they raise is returned."""

    async def run() -> list[Any]:
        try:
            return await asyncio.gather(*asked, return_exceptions=True)
        finally:
            exchanges = instance._processes[0]._exchanges
            for each in list(exchanges._idle):
                each._transport.abort()
            while exchanges._open:
                await asyncio.sleep(0.01)

    return asyncio.run(run())


def test_many_at_the_same_time_get_their_own_answers(program: Start) -> None:
    instance = program("!")
    bodies = [b"hello %d" % number for number in range(40)]
    replies = several(instance, *(instance.invoke_soon(Invocation(body, "text/plain"), 20) for body in bodies))
    assert [reply.body for reply in replies] == [body + b"!" for body in bodies]
    assert {(reply.status, reply.content_type) for reply in replies} == {(200, "text/plain")}
    assert instance.busy == 0


def test_a_connection_serves_one_request_after_another(program: Start) -> None:
    instance = program("!")

    async def ask() -> list[bytes]:
        return [(await instance.invoke_soon(Invocation(b"%d" % number), 20)).body for number in range(50)]

    assert several(instance, ask()) == [[b"%d!" % number for number in range(50)]]


def test_what_needs_a_thread(program: Start) -> None:
    instance, two = program("!"), program("a", "b")
    large, pipeline = several(
        instance, instance.invoke_soon(Invocation(b"x" * (JOINED + 1)), 20), two.invoke_soon(Invocation(b"x"), 20)
    )
    assert isinstance(large, NotSoon)
    assert isinstance(pipeline, NotSoon)
    sleepers = several(instance, *(instance.invoke_soon(Invocation(b"slow 0.5"), 20) for _ in range(MOST + 5)))
    assert sum(isinstance(each, NotSoon) for each in sleepers) == 5
    assert sum(getattr(each, "status", 0) == 200 for each in sleepers) == MOST


def test_a_late_answer_ends_its_connection_only(program: Start) -> None:
    instance = program("!")
    late, other = several(
        instance, instance.invoke_soon(Invocation(b"slow 1.5"), 0.2), instance.invoke_soon(Invocation(b"slow 0.5"), 20)
    )
    assert isinstance(late, ModelTimeout)
    assert other.body == b"slow 0.5!"
    assert instance.alive
    assert instance.busy == 0


@pytest.mark.parametrize("body", [b"die", b"huge", b"nonsense"])
def test_an_answer_that_never_comes_whole(program: Start, body: bytes) -> None:
    instance = program("!")
    (gone,) = several(instance, instance.invoke_soon(Invocation(body), 20))
    assert isinstance(gone, InstanceGone)
    assert gone.begun
    assert instance.busy == 0


@pytest.mark.parametrize("pause", [b"0", b"0.1"])
def test_what_comes_unasked_is_nobodys_answer(program: Start, pause: bytes) -> None:
    instance = program("!")

    async def ask() -> list[Any]:
        asked = instance.invoke_soon(Invocation(b"twice " + pause), 20)
        (first,) = await asyncio.gather(asked, return_exceptions=True)
        await asyncio.sleep(0.3)
        return [first, *[(await instance.invoke_soon(Invocation(b"%d" % number), 20)).body for number in range(5)]]

    ((first, *others),) = several(instance, ask())
    assert isinstance(first, InstanceGone) or first.body == b"the first"
    assert others == [b"%d!" % number for number in range(5)]


def test_a_server_leaves_what_is_gone_to_the_threads(program: Start, process_of: Callable[..., int]) -> None:
    instance, models = program("!"), ModelServer()
    assert isinstance(several(instance, models.invoke_soon("one", Invocation(b"x"), 20))[0], NotSoon)
    models.serve("one", [instance])
    assert several(instance, models.invoke_soon("one", Invocation(b"x"), 20))[0].body == b"x!"
    os.kill(process_of(instance), signal.SIGKILL)
    (gone,) = several(instance, models.invoke_soon("one", Invocation(b"x"), 20))
    assert isinstance(gone, NotSoon)
    with pytest.raises(Unavailable):
        models.invoke("one", Invocation(b"x"), seconds=20)
    assert models.changed.is_set()


def test_a_caller_who_leaves_frees_the_instance(program: Start) -> None:
    instance = program("!")

    async def leave() -> bytes:
        waiting = asyncio.create_task(instance.invoke_soon(Invocation(b"hang"), 20))
        await asyncio.sleep(0.2)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return (await instance.invoke_soon(Invocation(b"x"), 20)).body

    assert several(instance, leave()) == [b"x!"]
    assert instance.busy == 0
