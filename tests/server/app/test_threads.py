"""Threads of the event loop."""

import asyncio
import threading

import pytest

from headrace.server.app.threads import Threads


def test_results_and_errors_come_back_from_other_threads():
    async def ask() -> None:
        threads = Threads(2, "test")
        assert await threads.run(divmod, 7, 2) == (3, 1)
        assert (await threads.run(threading.current_thread)).name == "test-0"
        with pytest.raises(ZeroDivisionError):
            await threads.run(divmod, 7, 0)
        threads.close()

    asyncio.run(ask())


def test_threads_are_started_as_they_are_needed_and_never_more_than_allowed():
    async def ask() -> None:
        threads, gate = Threads(3, "test"), threading.Barrier(3)

        def together() -> str:
            gate.wait(10)
            return threading.current_thread().name

        for _ in range(5):
            assert await threads.run(threading.current_thread) is not None
        names = await asyncio.gather(*(threads.run(together) for _ in range(9)))
        assert set(names) == {"test-0", "test-1", "test-2"}
        threads.close()

    asyncio.run(ask())


def test_a_call_that_nobody_waits_for_is_finished_all_the_same():
    async def ask() -> None:
        threads, go, ended = Threads(1, "test"), threading.Event(), threading.Event()

        def slow() -> None:
            go.wait(10)
            ended.set()

        waiting = threads.run(slow)
        waiting.cancel()
        following = threads.run(len, "abc")
        go.set()
        assert await following == 3
        assert ended.is_set()
        threads.close()

    asyncio.run(ask())


def test_closing_waits_for_the_calls_that_are_there():
    async def ask() -> None:
        threads, done = Threads(1, "test"), []
        for number in range(3):
            threads.run(done.append, number)
        threads.close()
        assert done == [0, 1, 2]

    asyncio.run(ask())
