"""What serves is made of: containers, what they are asked, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

NOTHING: Mapping[str, str] = MappingProxyType({})


class ModelFailed(Exception):  # noqa: N818
    """A model could not be loaded or does not answer its ping; the message becomes the FailureReason."""


class InstanceGone(Exception):  # noqa: N818
    """The process that was asked has ended, or was stopped, before it began to answer; another may be asked.

    `begun` tells that it had the whole request or a part of it.
    """

    def __init__(self, message: str = "", *, begun: bool = False) -> None:
        super().__init__(message)
        self.begun = begun


class ModelTimeout(Exception):  # noqa: N818
    """The model did not answer in time."""


@dataclass(frozen=True)
class Container:
    """One container of a model whose data lie unpacked on this machine; plain data, it travels as JSON.

    `folder` is the unpacked model data ("" where there is none, or with `multi_model`, whose invocations bring theirs);
    `source` is the unpacked source of a framework's script where it came beside the model. `hostname` is
    ContainerHostname, by which one of several is targeted. Without `network` a user's code has none and no credentials.
    """

    image: str
    folder: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    hostname: str = ""
    multi_model: bool = False
    network: bool = True


class NotSoon(Exception):  # noqa: N818 (nothing went wrong)
    """What was to be answered without waiting in a thread can't be; nothing of it was asked yet, or it may be again."""


@dataclass(frozen=True)
class Invocation:
    """One request to a model; `target_model` with its unpacked `target_folder` is for multi-model containers."""

    body: bytes
    content_type: str = ""
    accept: str = ""
    custom_attributes: str = ""
    target_model: str = ""
    target_folder: str = ""
    session_id: str = ""

    def head(self, operation: str) -> dict[str, Any]:
        """Return the head of the message that asks for it, by "invoke" or "stream"."""
        head = {"operation": operation, "content_type": self.content_type, "accept": self.accept}
        if self.custom_attributes:
            head["custom_attributes"] = self.custom_attributes
        if self.target_model or self.target_folder:
            head |= {"target_model": self.target_model, "target_folder": str(self.target_folder)}
        if self.session_id:
            head["session_id"] = self.session_id
        return head


@dataclass(frozen=True)
class Reply:
    """A model's answer: an HTTP status, and a body that is one sentence where the status is none of success.

    `container` is the name of the one that answered, of a model that has several.
    """

    status: int
    body: bytes
    content_type: str = ""
    custom_attributes: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    container: str = ""

    @classmethod
    def read(cls, head: Mapping[str, Any], body: bytes) -> Self:
        """Return the reply that a message is."""
        given = head.get("content_type", ""), head.get("custom_attributes", ""), head.get("headers", NOTHING)
        return cls(int(head.get("status", 500)), body, *given)
