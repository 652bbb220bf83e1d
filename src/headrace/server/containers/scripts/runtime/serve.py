"""Serves a user's model on a Unix socket, one request at a time, in the model server's frames."""

import importlib.util
import os
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from . import packages, settings
from .contract import Answer, Refused
from .models import Models

SENTENCE = 400


def main() -> None:
    """Listen, load the model, and answer until the process is ended."""
    told = settings.take()
    frames = _load_file("headrace_frames", Path(told["frames"]))
    listener = _listen(Path(told["socket"]))
    server = Server(frames, told)
    server.load()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=server.attend, args=(connection,), daemon=True).start()


class Server:
    """Answers on connections, each in a thread; the user's code answers one request at a time."""

    def __init__(self, frames: ModuleType, told: dict[str, Any]) -> None:
        """Remember what was told; nothing of the user's runs yet."""
        self._frames = frames
        self._told = told
        self._models: Models | None = None
        self._broken = ""
        self._turn = threading.Lock()

    def load(self) -> None:
        """Install what the source needs and load the model; what goes wrong is what pings are answered."""
        try:
            code = Path(self._told["code"])
            if self._told.get("install"):
                packages.install("--requirement", str(code / "requirements.txt"))
            if code.is_dir() and packages.is_package(code) and self._told.get("install"):
                packages.install(str(code))
            self._models = Models(self._told)
            if not self._told["multi_model"]:
                self._models.of("")
        except Exception as error:  # noqa: BLE001 (the user's code may raise anything)
            self._broken = f"the model could not be loaded: {_sentence(error)}"

    def attend(self, connection: socket.socket) -> None:
        """Answer the messages of one connection until it is closed."""
        with connection:
            try:
                while (message := self._frames.receive(connection)) is not None:
                    self._answer(connection, *message)
            except OSError:
                return

    def _answer(self, connection: socket.socket, head: dict[str, Any], body: bytes) -> None:
        operation = head.get("operation")
        if self._broken or self._models is None:
            self._say(connection, Answer(500, self._broken.encode()))
        elif operation == "ping":
            self._say(connection, Answer(200, b""))
        elif operation == "unload":
            with self._turn:
                self._models.forget(str(head.get("target_folder", "")))
            self._say(connection, Answer(200, b""))
        elif operation in ("invoke", "stream"):
            with self._turn:
                self._invoke(connection, head, body, self._models)
        else:
            self._say(connection, Answer(400, f"operation {operation!r} is unknown".encode()))

    def _invoke(self, connection: socket.socket, head: dict[str, Any], body: bytes, models: Models) -> None:
        try:
            answer = models.invoke(head, body)
            if head["operation"] == "invoke":
                answer = answer.whole()
        except Refused as refusal:
            answer = Answer(refusal.status, str(refusal).encode())
        except Exception as error:  # noqa: BLE001 (the user's code may raise anything)
            answer = Answer(500, _sentence(error).encode())
        if isinstance(answer.body, bytes):
            self._say(connection, answer)
        else:
            self._stream(connection, answer, answer.body)

    def _say(self, connection: socket.socket, answer: Answer) -> None:
        self._frames.send(connection, answer.head(), answer.body)

    def _stream(self, connection: socket.socket, answer: Answer, parts: Iterator[bytes]) -> None:
        self._frames.send(connection, {**answer.head(), "more": True})
        try:
            for part in parts:
                self._frames.send(connection, {"status": answer.status, "more": True}, part)
            self._frames.send(connection, {"status": answer.status})
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 (the user's code may raise anything)
            self._frames.send(connection, {"status": 500}, _sentence(error).encode())


def _sentence(error: Exception) -> str:
    """Write the traceback to the log, and return what the caller is told."""
    traceback.print_exception(error)
    sys.stderr.flush()
    return f"{type(error).__name__}: {error}"[:SENTENCE]


def _listen(path: Path) -> socket.socket:
    """Listen on a path that may be longer than a socket's address holds."""
    before = Path.cwd()
    listener = socket.socket(socket.AF_UNIX)
    try:
        os.chdir(path.parent)
        path.unlink(missing_ok=True)
        listener.bind(path.name)
    finally:
        os.chdir(before)
    listener.listen(64)
    return listener


def _load_file(name: str, path: Path) -> ModuleType:
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise ImportError(f"{path} can't be imported")
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
