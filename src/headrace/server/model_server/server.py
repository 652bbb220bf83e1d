"""The instances that serve on this machine, by the name of what they serve."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from headrace.server.errors import Unavailable
from headrace.server.model_server.contract import InstanceGone, Invocation, NotSoon, Reply
from headrace.server.model_server.instances import Instance

Answer = TypeVar("Answer")
MOST_ATTEMPTS = 3
"""How many instances a request may be given to before it is given up as the one that ends them."""


class ModelServer:
    """The instances that serve on this machine, by name: f"{endpoint_arn}/{variant_name}"."""

    def __init__(self) -> None:
        """Serve nothing yet."""
        self.changed = threading.Event()
        """Set when there is something to do for the loop that starts and replaces instances."""
        self._lock = threading.Lock()
        self._instances: dict[str, tuple[Instance, ...]] = {}

    def serve(self, name: str, instances: Sequence[Instance]) -> list[Instance]:
        """Let these serve under a name from now on; returns those no longer used, to be stopped by the caller."""
        with self._lock:
            before = self._instances.get(name, ())
            self._instances[name] = tuple(instances)
        return [instance for instance in before if instance not in instances]

    def remove(self, name: str) -> list[Instance]:
        """Serve a name no longer; returns its instances, to be stopped by the caller."""
        with self._lock:
            return list(self._instances.pop(name, ()))

    def instances(self, name: str) -> tuple[Instance, ...]:
        """Return the instances that serve under a name."""
        return self._instances.get(name, ())

    def invoke(self, name: str, invocation: Invocation, *, container: str = "", seconds: float = 60) -> Reply:
        """Return the answer of the least busy instance, of another one where it is gone.

        Raises Unavailable where none is left, ModelTimeout.
        """
        return self._ask(name, lambda one: one.invoke(invocation, container=container, seconds=seconds))

    async def invoke_soon(self, name: str, invocation: Invocation, seconds: float) -> Reply:
        """Return the answer of the least busy instance, waiting in the event loop; raises NotSoon, ModelTimeout.

        An instance that is gone is left to `invoke`, which asks the others.
        """
        instances = self._instances.get(name, ())
        if not instances:
            raise NotSoon
        try:
            return await min(instances, key=_busy).invoke_soon(invocation, seconds)
        except InstanceGone:
            self.changed.set()
            raise NotSoon from None

    def stream(
        self, name: str, invocation: Invocation, *, container: str = "", seconds: float = 60
    ) -> tuple[Reply, Iterator[bytes]]:
        """Return a streamed answer as Instance.stream does; another instance is asked where one is gone at once."""
        return self._ask(name, lambda one: one.stream(invocation, container=container, seconds=seconds))

    def close(self) -> None:
        """Stop all instances, in parallel."""
        with self._lock:
            every = [instance for instances in self._instances.values() for instance in instances]
            self._instances.clear()
        if every:
            with ThreadPoolExecutor(len(every), "model server close") as pool:
                list(pool.map(lambda instance: instance.stop(), every))

    def _ask(self, name: str, ask: Callable[[Instance], Answer]) -> Answer:
        gone: list[Instance] = []
        begun = 0
        while begun < MOST_ATTEMPTS:
            instances = self._instances.get(name, ())
            left = [instance for instance in instances if instance not in gone] if gone else instances
            if not left:
                break
            chosen = left[0] if len(left) == 1 else min(left, key=_busy)
            try:
                return ask(chosen)
            except InstanceGone as error:
                begun += error.begun
                gone.append(chosen)
                self.changed.set()
        raise Unavailable("no instance of the model answers now; try again in a moment")


def _busy(instance: Instance) -> int:
    return instance.busy
