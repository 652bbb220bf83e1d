"""Threads that do for the event loop what may wait: the database, the disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")


class Threads:
    """At most `most` threads, started when all others are busy; all of its methods belong to one event loop's thread.

    What an executor does beside that (futures of its own, which any thread may wait for) is half the cost of a call.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._busy = 0
        self._threads: list[threading.Thread] = []
        self._calls: SimpleQueue[tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()

    def run(self, function: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
        """Return what awaits the result of a call in one of the threads; cancelling it does not end the call."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        if self._busy >= len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._busy += 1
        self._calls.put((future, function, arguments))
        return future

    def close(self) -> None:
        """End the threads once the calls in them, and those that wait for one, have ended."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            future, function, arguments = call
            result, error = None, None
            try:
                result = function(*arguments)
            except BaseException as raised:
                error = raised
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                future.get_loop().call_soon_threadsafe(self._settle, future, result, error)
            del call, future, function, arguments, result, error

    def _settle(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._busy -= 1
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
