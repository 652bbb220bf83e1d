"""What handlers are asked, what they answer, and how they refuse."""

import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

SENTENCE = 400


class Refused(Exception):  # noqa: N818
    """A request that is answered with a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        """Keep the HTTP status; the sentence is the exception's own."""
        super().__init__(sentence)
        self.status = status


def nothing() -> None:
    """Do nothing."""


@dataclass
class Answer:
    """A status and a body, whole or in parts; `done` is called once it is sent, or can't be."""

    status: int
    body: Any = b""
    content_type: str = ""
    custom_attributes: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    done: Callable[[], None] = nothing

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        self.done()

    def head(self) -> dict[str, Any]:
        """Return the head of the message that says it."""
        named = {
            "content_type": self.content_type,
            "custom_attributes": self.custom_attributes,
            "headers": self.headers,
        }
        return {"status": self.status} | {name: value for name, value in named.items() if value}

    def whole(self) -> "Answer":
        """Return the same with a body in one."""
        if not isinstance(self.body, bytes):
            self.body = b"".join(self.body)
        return self


def explain(error: BaseException) -> str:
    """Write the traceback to the log, and return the sentence that the caller is told."""
    traceback.print_exception(error)
    sys.stderr.flush()
    return f"{type(error).__name__}: {error}"[:SENTENCE]


def body_of(value: Any) -> Any:
    """Return what a handler answered as bytes, or as an iterator of bytes where it answers in parts."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if hasattr(value, "getvalue"):
        return value.getvalue()
    if hasattr(value, "__next__"):
        return _parts(value)
    raise TypeError(f"output_fn must return str, bytes or an iterator of them, not {type(value).__name__}")


def _parts(values: Iterator[Any]) -> Iterator[bytes]:
    for value in values:
        yield value.encode() if isinstance(value, str) else bytes(value)
