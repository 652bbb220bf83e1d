"""The Unix socket that a runtime answers on, in the model server's frames."""

import importlib.util
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .contract import Answer, explain

NEW = "new"


class Door:
    """Listens on a socket and hands each message of each connection to `answer`."""

    def __init__(self, path: Path, frames: Path) -> None:
        """Listen, so that who connects waits until `serve` is called."""
        self._listener = _listen(path)
        self._frames = _load_file("headrace_frames", frames)

    def serve(self, answer: Callable[[dict[str, Any], bytes], Answer]) -> None:
        """Answer until the process is ended, each connection in a thread."""
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._attend, args=(connection, answer), daemon=True).start()

    def _attend(self, connection: socket.socket, answer: Callable[[dict[str, Any], bytes], Answer]) -> None:
        with connection:
            try:
                while (message := self._frames.receive(connection)) is not None:
                    with answer(*message) as said:
                        self._say(connection, said)
            except OSError:
                return

    def _say(self, connection: socket.socket, said: Answer) -> None:
        if isinstance(said.body, bytes):
            self._frames.send(connection, said.head(), said.body)
            return
        self._frames.send(connection, {**said.head(), "more": True})
        try:
            for part in said.body:
                self._frames.send(connection, {"status": said.status, "more": True}, part)
        except OSError:
            raise
        except Exception as error:
            self._frames.send(connection, {"status": 500}, explain(error).encode())
            return
        self._frames.send(connection, {"status": said.status})


def _listen(path: Path) -> socket.socket:
    """Listen on a path that may be longer than a socket's address holds; it is there once it can be connected to."""
    before = Path.cwd()
    listener = socket.socket(socket.AF_UNIX)
    try:
        os.chdir(path.parent)
        Path(NEW).unlink(missing_ok=True)
        listener.bind(NEW)
        listener.listen(64)
        Path(NEW).rename(path.name)
    finally:
        os.chdir(before)
    return listener


def _load_file(name: str, path: Path) -> ModuleType:
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise ImportError(f"{path} can't be imported")
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
