"""Serves a user's model on a Unix socket: one request at a time, as the worker of AWS's toolkit does."""

import threading
from pathlib import Path
from typing import Any

from . import packages, settings
from .contract import Answer, Refused, explain
from .models import Models
from .sockets import Door


def main() -> None:
    """Listen, load the model, and answer until the process is ended."""
    told = settings.take()
    door = Door(Path(told["socket"]), Path(told["frames"]))
    server = Server(told)
    server.load()
    door.serve(server.answer)


class Server:
    """Answers requests with the user's model, or with why it could not be loaded."""

    def __init__(self, told: dict[str, Any]) -> None:
        """Remember what was told; nothing of the user's runs yet."""
        self._told = told
        self._models: Models | None = None
        self._broken = ""
        self._turn = threading.Lock()

    def load(self) -> None:
        """Install what the source needs and load the model."""
        try:
            if self._told["install"]:
                packages.install("--requirement", str(Path(self._told["code"]) / "requirements.txt"))
            self._models = Models(self._told)
            if not self._told["multi_model"]:
                self._models.of("")
        except (Exception, SystemExit) as error:
            self._broken = f"the model could not be loaded: {explain(error)}"

    def answer(self, head: dict[str, Any], body: bytes) -> Answer:
        """Return the answer to a message."""
        operation = head.get("operation")
        if self._models is None or self._broken:
            return Answer(500, self._broken.encode())
        if operation == "ping":
            return Answer(200)
        self._turn.acquire()
        try:
            if operation == "unload":
                self._models.forget(str(head.get("target_folder", "")))
                answer = Answer(200)
            elif operation in ("invoke", "stream"):
                answer = self._models.invoke(head, body)
                if operation == "invoke":
                    answer = answer.whole()
            else:
                answer = Answer(400, f"operation {operation!r} is unknown".encode())
        except Refused as refusal:
            answer = Answer(refusal.status, str(refusal).encode())
        except (Exception, SystemExit) as error:
            answer = Answer(500, explain(error).encode())
        except BaseException:
            self._turn.release()
            raise
        answer.done = self._turn.release
        return answer
