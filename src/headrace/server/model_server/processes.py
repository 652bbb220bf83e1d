"""One model process: how it is started, asked, measured and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil

from headrace.server.model_server.connections import Connection, Connections
from headrace.server.model_server.contract import InstanceGone, ModelFailed, ModelTimeout, NotSoon
from headrace.server.model_server.exchanges import Exchanges
from headrace.server.model_server.frames import receive, send
from headrace.server.model_server.log_lines import LogLines
from headrace.server.model_server.targets import Targets
from headrace.server.sandbox import ask_to_stop

SOCKET = "s"
PING_SECONDS = 5.0
"""How long a process that was late with an answer may take for its ping, before it counts as one that hangs."""

PAUSE = 0.01
"""Seconds between two attempts to reach a process that has not opened its socket yet."""

_starter = ThreadPoolExecutor(1, "model process starter")
"""Starts every process: the kernel ends a process with the thread that started it, and this one stays."""


@dataclass(frozen=True)
class Command:
    """What to start, in which folder, with what on its standard input."""

    words: list[str]
    folder: Path
    environment: dict[str, str] = field(repr=False)
    standard_input: bytes = field(default=b"", repr=False)


class ModelProcess:
    """A process that answers for one container on a socket in its folder."""

    def __init__(
        self,
        folder: Path,
        command: Callable[[], Command],
        log: Callable[[str], None],
        targets: Targets | None = None,
    ) -> None:
        """Begin to start it; `command` may take its time (environments are made then).

        `targets` is where it finds the models of invocations, where it does not see the folders that these name.
        """
        self._log, self._targets = log, targets
        self._connections, self._exchanges = Connections(folder / SOCKET), Exchanges(folder / SOCKET)
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: LogLines | None = None
        self._ended = threading.Event()
        self._doubted = threading.Event()
        self._started: Future[None] = Future()
        threading.Thread(target=self._begin, args=(command,), name="model process", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it is starting or runs; one that did not answer in time does not count."""
        if self._ended.is_set():
            return False
        if self._process is None:
            return not self._started.done()
        return self._process.poll() is None

    def wait(self, deadline: float) -> None:
        """Wait until it answers its ping, to a deadline of `time.monotonic`; raises ModelFailed."""
        try:
            self._started.result(max(0.0, deadline - monotonic()))
        except NotInTime:
            raise ModelFailed("the model's container could not be prepared in time") from None
        while True:
            left = deadline - monotonic()
            try:
                head, body = self.ask({"operation": "ping"}, b"", max(0.01, left))
            except ModelTimeout:
                raise ModelFailed("the model did not answer its ping in time") from None
            except InstanceGone:
                if not self.alive:
                    raise ModelFailed(self.reason()) from None
                if left <= 0:
                    raise ModelFailed("the model did not answer its ping in time") from None
                sleep(PAUSE)
                continue
            if head.get("status") != 200:
                raise ModelFailed(
                    body.decode("utf-8", "replace")[:1000] or "the model's ping was not answered with 200"
                )
            return

    def reason(self) -> str:
        """Return why it ended: the last line that it printed, or its exit code."""
        process, lines = self._process, self._lines
        if lines is not None:
            lines.finish(2)
            last = next((line.strip() for line in reversed(lines.last) if line.strip()), "")
            if last:
                return last
        code = process.poll() if process is not None else None
        return f"the model's process ended with exit code {code}" if code is not None else "the model's process is gone"

    def ask(self, head: dict[str, Any], body: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        """Return the answer to one message; raises InstanceGone, ModelTimeout."""
        if self._targets is not None:
            head = self._targets.shown(head)
        connection = self._connections.take(seconds)
        try:
            send(connection, head, body)
            answer = receive(connection)
        except BaseException as error:
            raise self._broken(connection, error, seconds) from None
        if answer is None:
            raise self._broken(connection, ConnectionError("it closed the connection"), seconds)
        self._connections.give(connection)
        return answer

    async def ask_soon(self, head: dict[str, Any], body: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        """Return the answer to one small message, waiting in the event loop.

        Raises as `ask` does, and NotSoon where a thread has to ask.
        """
        if self._targets is not None:
            raise NotSoon
        try:
            return await self._exchanges.ask(head, body, seconds)
        except (TimeoutError, ConnectionError) as error:
            raise self._told(error, seconds) from None

    def ask_for_parts(
        self, head: dict[str, Any], body: bytes, seconds: float
    ) -> Generator[tuple[dict[str, Any], bytes], None, None]:
        """Yield the messages of a streamed answer; raises as `ask` does."""
        if self._targets is not None:
            head = self._targets.shown(head)
        connection = self._connections.take(seconds)
        reading = True
        try:
            send(connection, head, body)
            while reading:
                answer = receive(connection)
                if answer is None:
                    raise ConnectionError("it closed the connection")
                if not answer[0].get("more"):
                    reading = False
                    self._connections.give(connection)
                yield answer
        except OSError as error:
            reading = False
            raise self._broken(connection, error, seconds) from None
        finally:
            if reading:
                self._connections.drop(connection)

    def _broken(self, connection: Connection, error: BaseException, seconds: float) -> BaseException:
        """Return what to raise after an error on a connection, which is closed."""
        self._connections.drop(connection)
        return self._told(error, seconds)

    def _told(self, error: BaseException, seconds: float) -> BaseException:
        if isinstance(error, BlockingIOError | TimeoutError):
            if not self._doubted.is_set():
                self._doubted.set()
                threading.Thread(target=self._doubt, name="model process ping", daemon=True).start()
            return ModelTimeout(f"the model did not answer within {seconds:g} seconds")
        if isinstance(error, OSError):
            return InstanceGone(f"the model process is gone ({error})", begun=True)
        return error

    def _doubt(self) -> None:
        """End a process that was late if it does not answer its ping either; other requests of it may go on."""
        try:
            connection = self._connections.take(PING_SECONDS)
            try:
                send(connection, {"operation": "ping"})
                answers = receive(connection) is not None
            finally:
                self._connections.drop(connection)
        except (OSError, InstanceGone, ModelTimeout):
            answers = False
        self._doubted.clear()
        if not answers:
            self.kill()

    def memory(self) -> int:
        """Return the bytes of memory that it and its children hold."""
        if self._process is None:
            return 0
        total = 0
        with suppress(psutil.Error):
            process = psutil.Process(self._process.pid)
            for each in (process, *process.children(recursive=True)):
                with suppress(psutil.Error):
                    total += each.memory_info().rss
        return total

    def stop(self, seconds: float) -> None:
        """End it: asked first, killed where it has not ended within `seconds`."""
        with suppress(NotInTime, ModelFailed):
            self._started.result(0 if self._ended.is_set() else seconds)
        self._ended.set()
        self._connections.close()
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            ask_to_stop(process.pid)
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
        self.kill()
        process.wait()
        if self._lines is not None:
            self._lines.finish(1)

    def kill(self) -> None:
        """End it at once, with all that it started."""
        self._ended.set()
        self._connections.close()
        process = self._process
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def _begin(self, command: Callable[[], Command]) -> None:
        try:
            _starter.submit(self._start, command()).result()
        except Exception as error:
            self._ended.set()
            self._started.set_exception(ModelFailed(str(error) or type(error).__name__))
            return
        self._started.set_result(None)

    def _start(self, command: Command) -> None:
        if self._ended.is_set():
            raise ModelFailed("the model was stopped before it had started")
        process = subprocess.Popen(  # noqa: S603
            command.words,
            cwd=command.folder,
            env=command.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._lines = LogLines(process.stdout, self._log)
        self._process = process
        if self._ended.is_set():
            self.kill()
        with suppress(OSError), process.stdin:
            process.stdin.write(command.standard_input)
