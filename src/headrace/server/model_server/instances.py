"""An instance: the processes of a model's containers, asked one after another or one by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, Self

from headrace.server.errors import InvalidInput
from headrace.server.model_server.contract import (
    NOTHING,
    Container,
    InstanceGone,
    Invocation,
    ModelFailed,
    ModelTimeout,
    NotSoon,
    Reply,
)
from headrace.server.model_server.processes import ModelProcess
from headrace.server.model_server.starting import Start, command_of, targets_of

MOST_CONTAINERS = 15
SUCCESS = range(200, 300)
Messages = Generator[tuple[dict[str, Any], bytes], None, None]


class Instance:
    """One instance of a production variant."""

    def __init__(self, containers: Sequence[Container], processes: Sequence[ModelProcess]) -> None:
        """Take the processes of these containers, in their order."""
        self.containers = tuple(containers)
        self._processes = tuple(processes)
        self._named = {
            name: process
            for number, (container, process) in enumerate(zip(containers, processes, strict=True), 1)
            for name in (f"container-{number}", container.hostname)
            if name
        }
        self._changed = threading.Condition()
        self._busy = 0
        self._worked, self._since = 0.0, monotonic()
        self._stopping = False

    @classmethod
    def start(
        cls,
        containers: Sequence[Container],
        *,
        folder: Path,
        log: Callable[[str], None],
        trust_scripts: bool = False,
        environment: Mapping[str, str] = NOTHING,
        hidden: Sequence[Path] = (),
        environments: Path | None = None,
    ) -> Self:
        """Start a process for each container and return at once.

        `folder` is made for their private sockets and files, one folder a container; `environment` is what scripts
        find set beside their own variables (the role's temporary credentials); `environments` is where virtual
        environments of scripts are kept (by default beside `folder`); `hidden` is what scripts must not see.
        """
        if not 1 <= len(containers) <= MOST_CONTAINERS:
            raise InvalidInput(f"a model has 1 to {MOST_CONTAINERS} containers, and this one has {len(containers)}")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        processes = []
        for number, container in enumerate(containers):
            own = folder / str(number)
            own.mkdir(exist_ok=True, mode=0o700)
            start = Start(
                container,
                own,
                log,
                trust_scripts,
                environment,
                tuple(hidden),
                environments or folder.parent / "environments",
            )
            processes.append(ModelProcess(own, command_of(start), log, targets_of(start)))
        return cls(containers, processes)

    @property
    def alive(self) -> bool:
        """Whether all its processes run, or are being started."""
        return not self._stopping and all(process.alive for process in self._processes)

    @property
    def busy(self) -> int:
        """The requests that it answers now."""
        return self._busy

    @property
    def worked(self) -> float:
        """The seconds that its requests have taken until now, those at the same time added up."""
        with self._changed:
            self._count(0)
            return self._worked

    def wait(self, seconds: float) -> None:
        """Wait until every container answers its ping; raises ModelFailed with the reason."""
        deadline = monotonic() + seconds
        for process in self._processes:
            process.wait(deadline)

    def invoke(self, invocation: Invocation, *, container: str = "", seconds: float = 60) -> Reply:
        """Return the answer of all containers one after another, or of the named one.

        The first answer that is no success ends the pipeline. Raises InstanceGone, ModelTimeout.
        """
        with self._one_more():
            if len(self._processes) == 1 and not container:
                return Reply.read(*self._processes[0].ask(invocation.head("invoke"), invocation.body, seconds))
            deadline = monotonic() + seconds
            *before, (name, last) = self._asked(container)
            for each, process in before:
                reply = _through(each, process, invocation, deadline)
                if reply.status not in SUCCESS:
                    return reply
                invocation = _next(invocation, reply)
            answer = last.ask(invocation.head("invoke"), invocation.body, _left(deadline))
            return replace(Reply.read(*answer), container=name)

    async def invoke_soon(self, invocation: Invocation, seconds: float) -> Reply:
        """Return the answer of the only container, waiting in the event loop; raises as `invoke`, and NotSoon."""
        if len(self._processes) != 1:
            raise NotSoon
        with self._one_more():
            return Reply.read(*await self._processes[0].ask_soon(invocation.head("invoke"), invocation.body, seconds))

    def stream(
        self, invocation: Invocation, *, container: str = "", seconds: float = 60
    ) -> tuple[Reply, Iterator[bytes]]:
        """Return the status and content type of an answer, and its parts as they come.

        Where it is no success the reply has the body and there are no parts. `seconds` limits the first part and the
        pause between two. The parts are to be read to their end, or closed. Raises as `invoke`; the parts raise
        ModelFailed where the model fails or ends in the middle, ModelTimeout.
        """
        self._enter()
        try:
            deadline = monotonic() + seconds
            *before, (name, last) = self._asked(container)
            for each, process in before:
                reply = _through(each, process, invocation, deadline)
                if reply.status not in SUCCESS:
                    self._leave()
                    return reply, iter(())
                invocation = _next(invocation, reply)
            messages = last.ask_for_parts(invocation.head("stream"), invocation.body, _left(deadline))
            head, body = next(messages)
        except BaseException:
            self._leave()
            raise
        reply = Reply.read(head, b"" if head.get("status") in SUCCESS else body)
        if len(self._processes) > 1:
            reply = replace(reply, container=name)
        if reply.status not in SUCCESS:
            body = b""
        return reply, _Parts(body, messages, self._leave)

    def memory(self) -> int:
        """Return the bytes of memory that its processes hold."""
        return sum(process.memory() for process in self._processes)

    def unload(self, target_folder: str) -> None:
        """Let multi-model containers forget the model in a folder, once the requests to it are answered."""
        for container, process in zip(self.containers, self._processes, strict=True):
            if container.multi_model:
                process.ask({"operation": "unload", "target_folder": str(target_folder)}, b"", 10)

    def stop(self, grace: float = 5) -> None:
        """Take no further request, wait for those under way at most `grace` seconds, and end the processes."""
        with self._changed:
            self._stopping = True
            self._changed.wait_for(lambda: self._busy == 0, grace)
        with ThreadPoolExecutor(len(self._processes), "model process stop") as pool:
            list(pool.map(lambda process: process.stop(min(2.0, max(0.1, grace))), self._processes))

    def _asked(self, container: str) -> Sequence[tuple[str, ModelProcess]]:
        """Return the containers that answer, each with its name."""
        if not container:
            names = (each.hostname or f"container-{number}" for number, each in enumerate(self.containers, 1))
            return list(zip(names, self._processes, strict=True))
        if container not in self._named:
            raise InvalidInput(f"the model has no container named {container!r}; it has {', '.join(self._named)}")
        return [(container, self._named[container])]

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._changed:
            if self._stopping:
                raise InstanceGone("the instance is being stopped")
            self._count(1)

    def _leave(self) -> None:
        with self._changed:
            self._count(-1)
            if self._stopping:
                self._changed.notify_all()

    def _count(self, change: int) -> None:
        now = monotonic()
        self._worked += self._busy * (now - self._since)
        self._since = now
        self._busy += change


class _Parts(Iterator[bytes]):
    """The parts of a streamed answer; the instance is busy with it until they have ended or are closed."""

    def __init__(self, first: bytes, messages: Messages, leave: Callable[[], None]) -> None:
        self._first, self._messages, self._leave = first, messages, leave
        self._open = True

    def __next__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        while self._open:
            try:
                head, body = next(self._messages)
            except InstanceGone as error:
                self.close()
                raise ModelFailed(f"the model ended in the middle of its answer ({error})") from None
            except BaseException:
                self.close()
                raise
            if head.get("status", 200) not in SUCCESS:
                self.close()
                raise ModelFailed(body.decode("utf-8", "replace"))
            if body:
                return body
        raise StopIteration

    def close(self) -> None:
        """Read no further."""
        if self._open:
            self._open = False
            self._messages.close()
            self._leave()

    def __del__(self) -> None:
        self.close()


def _through(name: str, process: ModelProcess, invocation: Invocation, deadline: float) -> Reply:
    """Return what a container that is not the last one answers; its own default decides the content type."""
    head = invocation.head("invoke") | {"accept": ""}
    return replace(Reply.read(*process.ask(head, invocation.body, _left(deadline))), container=name)


def _next(invocation: Invocation, reply: Reply) -> Invocation:
    return Invocation(
        reply.body,
        reply.content_type or invocation.content_type,
        invocation.accept,
        reply.custom_attributes or invocation.custom_attributes,
        invocation.target_model,
        invocation.target_folder,
        invocation.session_id,
    )


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise ModelTimeout("the containers did not answer in time")
    return left
