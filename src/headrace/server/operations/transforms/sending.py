"""Requests to a job's own model: several at a time, answered in their order, tried again where that helps."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

from headrace.server.model_server import Instance, InstanceGone, Invocation, ModelTimeout, Reply

Item = TypeVar("Item")
Answer = TypeVar("Answer")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
LONGEST_MESSAGE = 4096
START_SECONDS = 600
CLIENT_ERROR, ALGORITHM_ERROR = "ClientError", "AlgorithmError"
SEE_LOGS = "See job logs for more information"


class ObjectFailed(Exception):  # noqa: N818
    """An input object can't be transformed: the job's FailureReason, and what its data log says of the object."""

    def __init__(self, reason: str, lines: Iterable[str]) -> None:
        super().__init__(reason)
        self.reason, self.lines = reason, tuple(lines)


class Fleet:
    """The instances of a job's model; one whose process has gone is started anew."""

    def __init__(self, start: Callable[[], Instance], count: int) -> None:
        """Start `count` instances and wait until they serve; raises ModelFailed."""
        self._start, self._lock, self._stopped = start, threading.Lock(), False
        self._instances: list[Instance] = []
        try:
            for _ in range(count):
                self._instances.append(start())
            for instance in self._instances:
                instance.wait(START_SECONDS)
        except BaseException:
            self.stop()
            raise

    def send(self, invocation: Invocation, seconds: float) -> Reply:
        """Return an instance's answer; raises InstanceGone, ModelTimeout, and ModelFailed when none can be started."""
        return self._free().invoke(invocation, seconds=seconds)

    def stop(self) -> None:
        """End the instances; who waits for an answer gets InstanceGone, and so does who asks from now on."""
        self._stopped = True
        for instance in self._instances:
            instance.stop()

    def _free(self) -> Instance:
        with self._lock:
            if self._stopped:
                raise InstanceGone("the job is over")
            for number, instance in enumerate(self._instances):
                if not instance.alive:
                    instance.stop()
                    self._instances[number] = self._start()
                    self._instances[number].wait(START_SECONDS)
            return min(self._instances, key=lambda instance: instance.busy)


def answered(fleet: Fleet, invocation: Invocation, *, seconds: float, retries: int) -> Reply:
    """Return the model's answer; raises ObjectFailed where it refuses, or fails more often than `retries`."""
    for attempt in range(retries + 1):
        try:
            reply = fleet.send(invocation, seconds)
        except (InstanceGone, ModelTimeout) as error:
            failure = ObjectFailed(
                f"{ALGORITHM_ERROR}: {SEE_LOGS}", ["Unable to get response from algorithm", str(error)]
            )
        else:
            if reply.status < 300:
                return reply
            failure = _refused(reply)
            if reply.status < 500 and reply.status != 429:
                raise failure
        if attempt < retries:
            time.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))
    raise failure


def in_order(
    executor: Executor, items: Iterable[Item], act: Callable[[Item], Answer], *, ahead: int
) -> Iterator[tuple[Item, Future[Answer]]]:
    """Yield the items with what `act` makes of each, done, in their order; at most `ahead` are under way or wait."""
    waiting: deque[tuple[Item, Future[Answer]]] = deque()
    try:
        for item in items:
            waiting.append((item, executor.submit(act, item)))
            if len(waiting) >= ahead:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        for _, future in waiting:
            future.cancel()


def _refused(reply: Reply) -> ObjectFailed:
    message = reply.body[:LONGEST_MESSAGE].decode("utf-8", "replace")
    if reply.status < 500:
        first, reason = f"ClientError: {reply.status}", f"{CLIENT_ERROR}: {SEE_LOGS}"
    else:
        first, reason = f"Bad HTTP status received from algorithm: {reply.status}", f"{ALGORITHM_ERROR}: {SEE_LOGS}"
    return ObjectFailed(reason, [first, "", "Message:", *message.splitlines()])
