"""Every error that an operation can answer with, as one tree.

OperationError
├── InvalidInput           a value of the request is not allowed
├── NotFound               what the request names does not exist
├── AlreadyExists          what the request would make is there already
├── InUse                  something still depends on it, or its state does not allow this now
├── Conflict               another request changed it meanwhile, or a precondition failed
├── LimitExceeded          a documented limit is reached
├── Denied                 no policy allows it, or one denies it
├── Unauthenticated        the request is not signed by a key that this server knows
├── Throttled              too many requests for now
├── TooLarge               the request is larger than the service takes
├── NotBuilt               the operation is known and not built yet
└── Unavailable            the server can't do it now (stopping, disk full, store away)

A door translates the kind into its own protocol's code; `code` names a more exact code where the service has one
(`NoSuchBucket`). Each message is one sentence: what was wrong with which value, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OperationError(Exception):
    """Root of all errors that an operation can answer with; `details` are further members of the error's shape."""

    status = 400

    def __init__(self, message: str, *, code: str = "", status: int = 0, details: Mapping[str, Any] | None = None):
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status or type(self).status
        self.details = dict(details or {})


class InvalidInput(OperationError):
    """A value of the request is not allowed."""


class NotFound(OperationError):
    """What the request names does not exist."""

    status = 404


class AlreadyExists(OperationError):
    """What the request would make is there already."""

    status = 409


class InUse(OperationError):
    """Something still depends on it, or its state does not allow this now."""

    status = 409


class Conflict(OperationError):
    """Another request changed it meanwhile, or a precondition failed."""

    status = 409


class LimitExceeded(OperationError):
    """A documented limit is reached."""


class Denied(OperationError):
    """No policy allows it, or one denies it."""

    status = 403


class Unauthenticated(OperationError):
    """The request is not signed by a key that this server knows."""

    status = 403


class Throttled(OperationError):
    """Too many requests for now."""

    status = 429


class TooLarge(OperationError):
    """The request is larger than the service takes."""

    status = 413


class NotBuilt(OperationError):
    """The operation is known and not built yet."""

    status = 501


class Unavailable(OperationError):
    """The server can't do it now."""

    status = 503
