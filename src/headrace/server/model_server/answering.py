"""How a model process answers a message: by the container's own model, or by the one that the message names."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

from headrace.ml.errors import HeadraceError
from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import ClientError, NotAcceptable, Predictor, UnsupportedContentType
from headrace.server.model_server.residents import Residents

Head = dict[str, Any]
DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
PONG: tuple[Head, bytes] = ({"status": 200}, b"")


class Answering:
    """Answers messages from several threads; a container of one model has loaded it when this is made."""

    def __init__(self, algorithm: str, container: dict[str, Any]) -> None:
        """Load the container's model; raises ClientError on one that is foreign or damaged."""
        if algorithm not in ALGORITHMS:
            raise ClientError(f"The algorithm {algorithm} is not built in here; its models can't be served.")
        self._built_in = ALGORITHMS[algorithm]
        self._environment: dict[str, str] = container["environment"]
        self._accept = self._environment.get(DEFAULT_ACCEPT, "")
        self._answers_nothing = self._built_in.name == "xgboost"
        several = container["multi_model"]
        self._residents = Residents(self._load) if several else None
        self._predictor = None if several else self._load(container["folder"])

    def answer(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        """Return the head and body of the answer to a message."""
        operation = head.get("operation")
        if operation in ("invoke", "stream"):
            return self._invoke(head, body)
        if operation == "ping":
            return PONG
        if operation == "unload" and self._residents is not None:
            self._residents.forget(head.get("target_folder", ""))
            return PONG
        return _failed(400, f"The model process knows no operation {str(operation)[:50]!r}.")

    def _invoke(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        try:
            predictor = self._predictor or self._target(head)
        except Exception as error:
            return _failed(500, sentence(error) or _unexpected(error))
        if not body and self._answers_nothing:
            return {"status": 204}, b""
        try:
            reply, content_type = predictor.invoke(
                body, head.get("content_type", ""), head.get("accept") or self._accept
            )
        except NotAcceptable as error:
            return _failed(406, str(error))
        except UnsupportedContentType as error:
            return _failed(415, str(error))
        except ClientError as error:
            return _failed(400, str(error))
        except Exception as error:
            return _failed(500, _unexpected(error))
        return {"status": 200, "content_type": content_type}, reply

    def _target(self, head: Head) -> Predictor:
        folder = head.get("target_folder", "")
        if self._residents is None or not folder:
            raise ClientError("A container of several models needs the name of the one that is to answer.")
        return self._residents.predictor(folder)

    def _load(self, folder: str) -> Predictor:
        if not folder:
            raise ClientError("The container has no model data; give its ModelDataUrl.")
        return self._built_in.load(Path(folder), self._environment)


def sentence(error: BaseException) -> str:
    """Return the sentence of an error that is made for people, or nothing."""
    return str(error) if isinstance(error, ClientError | UnsupportedContentType | HeadraceError) else ""


def _failed(status: int, message: str) -> tuple[Head, bytes]:
    return {"status": status, "content_type": "text/plain"}, message.encode("utf-8", "replace")


def _unexpected(error: Exception) -> str:
    traceback.print_exc(file=sys.stderr)
    return f"The model failed ({type(error).__name__}: {error})."[:1000]
