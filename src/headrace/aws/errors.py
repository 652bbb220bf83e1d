"""Errors of server/operations as one service's errors on the wire: code, status and members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headrace.server import errors
from headrace.server.errors import OperationError

if TYPE_CHECKING:
    from headrace.aws.specification import Shape, Specification

Codes = Mapping[type[OperationError], str]

JSON_CODES: Codes = {
    errors.InvalidInput: "ValidationException",
    errors.NotFound: "ResourceNotFoundException",
    errors.AlreadyExists: "ResourceAlreadyExistsException",
    errors.InUse: "ResourceInUseException",
    errors.Conflict: "ConflictException",
    errors.LimitExceeded: "LimitExceededException",
    errors.Denied: "AccessDeniedException",
    errors.Unauthenticated: "UnrecognizedClientException",
    errors.Throttled: "ThrottlingException",
    errors.TooLarge: "RequestEntityTooLargeException",
    errors.NotBuilt: "UnknownOperationException",
    errors.Unavailable: "ServiceUnavailableException",
}
QUERY_CODES: Codes = {
    errors.InvalidInput: "ValidationError",
    errors.NotFound: "ResourceNotFound",
    errors.AlreadyExists: "AlreadyExists",
    errors.InUse: "ResourceInUse",
    errors.Conflict: "Conflict",
    errors.LimitExceeded: "LimitExceeded",
    errors.Denied: "AccessDenied",
    errors.Unauthenticated: "InvalidClientTokenId",
    errors.Throttled: "Throttling",
    errors.TooLarge: "RequestEntityTooLarge",
    errors.NotBuilt: "InvalidAction",
    errors.Unavailable: "ServiceUnavailable",
}
XML_CODES: Codes = {
    errors.InvalidInput: "InvalidArgument",
    errors.NotFound: "NotFound",
    errors.AlreadyExists: "AlreadyExists",
    errors.InUse: "OperationAborted",
    errors.Conflict: "OperationAborted",
    errors.LimitExceeded: "LimitExceeded",
    errors.Denied: "AccessDenied",
    errors.Unauthenticated: "InvalidAccessKeyId",
    errors.Throttled: "SlowDown",
    errors.TooLarge: "EntityTooLarge",
    errors.NotBuilt: "NotImplemented",
    errors.Unavailable: "ServiceUnavailable",
}
_INTERNAL = "We encountered an internal error. Please try again."


class UnroutableError(OperationError):
    """No operation answers to this request; `service` and `protocol` tell in whose words to say so."""

    def __init__(self, service: Specification, protocol: str, message: str, *, code: str, status: int = 400):
        super().__init__(message, code=code, status=status)
        self.service = service
        self.protocol = protocol


@dataclass(frozen=True)
class Fault:
    """An error as the wire shows it: `shape` is the model's, if it has one, and `members` are named as it names them.

    `extra` are details that the model does not have (S3 shows them too); `headers` go with the answer.
    """

    code: str
    message: str
    status: int
    shape: Shape | None = None
    members: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def side(self) -> str:
        """Whose fault it is: Sender or Receiver."""
        return "Sender" if self.status < 500 else "Receiver"


def fault(
    error: Exception, service: Specification, own: Codes, defaults: Codes, *, plain_status: bool = False
) -> Fault:
    """Return an error as a service shows it; one that is no OperationError says only that something failed.

    The code is the error's own, else that of the nearest kind in the service's codes (`own`), else in the protocol's
    `defaults`. The status is the error's own, else the model's, else the kind's (with `plain_status` 400 for all that
    are the caller's fault). `details["headers"]` are headers of the answer; other details are members of the error.
    """
    if not isinstance(error, OperationError):
        code = "InternalError" if defaults is XML_CODES else "InternalFailure"
        return Fault(code, _INTERNAL, 500)
    code = error.code or _code(type(error), own) or _code(type(error), defaults) or "InternalFailure"
    shape = service.error(code)
    details = dict(error.details)
    headers = details.pop("headers", {})
    names = {**shape.plain_names, **{name: name for name in shape.members}} if shape else {}
    return Fault(
        code=code,
        message=error.message,
        status=_status(error, shape, plain_status),
        shape=shape,
        members={names[name]: value for name, value in details.items() if name in names},
        extra={name: value for name, value in details.items() if name not in names},
        headers=headers,
    )


def _code(kind: type[OperationError], codes: Codes) -> str:
    return next((codes[each] for each in kind.__mro__ if each in codes), "")


def _status(error: OperationError, shape: Shape | None, plain_status: bool) -> int:
    modelled = shape.traits.get("error", {}).get("httpStatusCode") if shape else None
    if error.status != type(error).status:
        return error.status
    if modelled:
        return int(modelled)
    plain = plain_status and error.status < 500 and error.status != 413
    return 400 if plain else error.status
