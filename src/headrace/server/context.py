"""What every operation is given beside its parameters: who asks, when, and the parts of the platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headrace.server.jobs.queue import JobQueue
from headrace.server.resources import Place

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from headrace.server.clock import Clock
    from headrace.server.model_server import ModelServer
    from headrace.server.security.credentials import Caller
    from headrace.server.security.secrets import Keyring
    from headrace.server.settings import Settings
    from headrace.server.stores.metadata import MetadataStore
    from headrace.server.stores.objects import ObjectStore


@dataclass(frozen=True)
class Platform:
    """The long-lived parts of one server, put together once at start; `account` is its 12 digits.

    `models` serves endpoints in the server's own process and is None in that of a job; `url` is where clients reach the
    server.
    """

    settings: Settings
    metadata: MetadataStore
    objects: ObjectStore
    keyring: Keyring
    clock: Clock
    account: str = ""
    partition: str = "aws"
    jobs: JobQueue = field(default_factory=JobQueue)
    models: ModelServer | None = None
    url: str = ""


@dataclass(frozen=True)
class Later:
    """An answer that takes time: the guard asks for it once the operation's transaction is over, so none is held.

    Only operations that read may return one. `soon`, where there is one, answers the same in the event loop without a
    thread that waits; it raises NotSoon where it can't, and `answer` is asked.
    """

    answer: Callable[[], Mapping[str, Any] | None]
    soon: Callable[[], Awaitable[Mapping[str, Any] | None]] | None = None


@dataclass(frozen=True)
class Context:
    """One call: the open transaction, the caller, where and when.

    `authorise(action, arn)` checks a further action on a further resource of the same request (iam:PassRole, a copy's
    source), under further condition keys as a third argument, and raises Denied; `request` holds what some operations
    answer with (host, source_address, user_agent). `after_commit` keeps a function until the transaction has committed
    (deleting blobs that nothing names any more).
    """

    platform: Platform
    connection: Connection
    caller: Caller
    place: Place
    now: int
    request_id: str
    authorise: Callable[..., None]
    request: Mapping[str, str] = field(default_factory=dict)
    committed: list[Callable[[], None]] = field(default_factory=list)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Keep `action` until the transaction has committed; it is forgotten when it rolls back."""
        self.committed.append(action)

    def position(self, token: str | None, *, of: str) -> list[Any] | None:
        """Return where the listing `of` goes on by a caller's token; raises InvalidInput on a foreign one."""
        return None if not token else self.platform.keyring.read_position(token, of=f"{self.place.account}/{of}")

    def token(self, position: Sequence[Any] | None, *, of: str) -> str | None:
        """Return the opaque, signed pagination token of a position in the listing `of`; None at its end."""
        if position is None:
            return None
        return self.platform.keyring.write_position(position, of=f"{self.place.account}/{of}")
