"""Checks parameters against the model before an operation sees them, with the words and codes of AWS."""

from __future__ import annotations

from typing import Any

from headrace.aws.specification import Operation, Violation, violations
from headrace.server.errors import InvalidInput

_MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


def validate(operation: Operation, parameters: dict[str, Any]) -> None:
    """Raise InvalidInput when parameters break the model; all violations are in one sentence, as AWS counts them.

    A streaming body is not among the parameters yet, so it is not missed.
    """
    found = violations(operation.input, parameters)
    if operation.body_member:
        streaming = operation.body_member[:1].lower() + operation.body_member[1:]
        found = [each for each in found if each.path != streaming]
    if not found:
        return
    if operation.service.name == "s3":
        raise _of_s3(operation, found[0])
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
    code = "ValidationError" if operation.service.protocols[0] == "query" else ""
    raise InvalidInput(count + "; ".join(each.sentence() for each in found), code=code)


def _of_s3(operation: Operation, violation: Violation) -> InvalidInput:
    """Return S3's error: a body that breaks its schema is malformed, anything else is an invalid argument."""
    top = violation.path.partition(".")[0]
    if operation.payload and top == operation.payload[:1].lower() + operation.payload[1:]:
        return InvalidInput(_MALFORMED, code="MalformedXML")
    if violation.shape.name == "StorageClass":
        return InvalidInput("The storage class you specified is not valid", code="InvalidStorageClass")
    return InvalidInput(violation.sentence(), code="InvalidArgument")
