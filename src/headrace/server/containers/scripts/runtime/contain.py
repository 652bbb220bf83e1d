"""Runs a user's own image with a container engine, beside it and outside of any sandbox: it is no code of a user's."""

import ctypes
import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import settings
from .contract import Answer
from .sockets import Door

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
FORWARDED = {
    "content_type": "Content-Type",
    "accept": "Accept",
    "custom_attributes": "X-Amzn-SageMaker-Custom-Attributes",
    "session_id": "X-Amzn-SageMaker-Session-Id",
}
PART = 1 << 16
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Run the container until it ends, answering for it where it serves; end with its exit code."""
    told = settings.take()
    _end_with(told["parent"])
    _watch(told)
    _remove(told)
    with tempfile.TemporaryDirectory() as private:
        process = _run(told, Path(private))
        signal.signal(signal.SIGTERM, lambda *_: _stop(told))
        if "socket" in told:
            door = Door(Path(told["socket"]), Path(told["frames"]))
            threading.Thread(target=door.serve, args=(Bridge(told, process).answer,), daemon=True).start()
        code = process.wait()
    sys.exit(128 - code if code < 0 else code)


class Bridge:
    """Asks a container over HTTP what it is asked in frames."""

    def __init__(self, told: dict[str, Any], process: "subprocess.Popen[bytes]") -> None:
        """Remember the container, which may still be starting."""
        self._told, self._process = told, process
        self._port = 0

    def answer(self, head: dict[str, Any], body: bytes) -> Answer:
        """Return the container's answer to a message."""
        operation = head.get("operation")
        if operation == "ping":
            return self._ping()
        if operation not in ("invoke", "stream"):
            return Answer(400, f"an own image can't do {operation!r}".encode())
        headers = {name: str(head[key]) for key, name in FORWARDED.items() if head.get(key)}
        try:
            said = self._request("POST", "/invocations", body, headers)
            answer = Answer(
                said.status, b"", said.getheader("Content-Type", ""), said.getheader(FORWARDED["custom_attributes"], "")
            )
            answer.body = _parts(said) if operation == "stream" and said.status < 300 else said.read()
        except (OSError, http.client.HTTPException) as error:
            return Answer(500, f"the container did not answer: {error or type(error).__name__}".encode())
        return answer

    def _ping(self) -> Answer:
        """Wait until the container answers its ping."""
        said = "nothing"
        while self._process.poll() is None:
            with suppress(OSError, http.client.HTTPException):
                reply = self._request("GET", "/ping", b"", {})
                reply.read()
                if reply.status == 200:
                    return Answer(200)
                said = f"status {reply.status}"
            time.sleep(0.1)
        return Answer(500, f"the container ended with exit code {self._process.returncode} (ping: {said})".encode())

    def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self._address(), timeout=3600)
        connection.request(method, path, body, headers)
        return connection.getresponse()

    def _address(self) -> int:
        """Return the port of this machine under which the container is asked."""
        if not self._port:
            said = _engine(self._told, "port", self._told["name"], str(self._told["port"]))
            found = re.search(rb":(\d+)\s*$", said.stdout)
            if not found:
                raise ConnectionError("the container has no port yet")
            self._port = int(found[1])
        return self._port


def _parts(said: http.client.HTTPResponse) -> Iterator[bytes]:
    with said:
        while part := said.read1(PART):
            yield part


def _run(told: dict[str, Any], private: Path) -> "subprocess.Popen[bytes]":
    """Start the container; what it finds set is told in a file, as a command's words are seen by all."""
    lines, words = [], []
    for name, value in told["given"].items():
        if not VARIABLE.fullmatch(name):
            continue
        if "\n" in value or "\r" in value:
            words += ["--env", f"{name}={value}"]
        else:
            lines.append(f"{name}={value}\n")
    path = private / "variables"
    path.touch(0o600)
    path.write_text("".join(lines))
    command = [told["engine"], "run", *told["before"], "--env-file", str(path), *words, *told["after"]]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent goes; end at once where it is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _watch(told: dict[str, Any]) -> None:
    """Leave a process that removes the container once this one has ended, however it ended."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(reading)
        os.set_inheritable(writing, False)
        return
    os.setsid()
    os.close(writing)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.read(reading, 1)
    _remove(told)
    os._exit(0)


def _stop(told: dict[str, Any]) -> None:
    """Ask the container to end, and go on waiting for it."""
    subprocess.Popen([told["engine"], "stop", told["name"]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603


def _remove(told: dict[str, Any]) -> None:
    _engine(told, "rm", "--force", told["name"])


def _engine(told: dict[str, Any], *words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([told["engine"], *words], capture_output=True, timeout=180, check=False)  # noqa: S603
