"""What the audit trail shows of requests and answers: everything but secrets."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from headrace.aws import services, specification
from headrace.aws.gateway.records import HIDDEN, shown
from headrace.server.security.audit.entry import cleaned

MODELS = botocore.session.Session()
SECRET = re.compile(
    r"password$|secretaccesskey|sessiontoken|tokencode|base32stringseed|qrcode|authenticationcode|sse\w*customerkey$",
    re.IGNORECASE,
)


def secrets_of(shape: Any, seen: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the paths of texts and bytes within a shape whose name says that they are secret."""
    if shape.name in seen:
        return
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if member.type_name in ("string", "blob") and SECRET.search(name):
                yield (name,)
            for path in secrets_of(member, (*seen, shape.name)):
                yield (name, *path)
    elif shape.type_name == "list":
        yield from secrets_of(shape.member, (*seen, shape.name))


FOUND = [
    (service, operation, side, path)
    for service in services.BUILT
    for operation in services.coverage_of(service).built
    for side in ("input", "output")
    if (shape := getattr(MODELS.get_service_model(service).operation_model(operation), f"{side}_shape"))
    for path in secrets_of(shape)
]


@pytest.mark.parametrize(
    ("service", "operation", "side", "path"), FOUND, ids=["-".join((*f[:2], *f[3])) for f in FOUND]
)
def test_secrets_are_not_recorded(service: str, operation: str, side: str, path: tuple[str, ...]) -> None:
    compiled = specification.service(service).operation(operation)
    assert compiled is not None
    model = getattr(MODELS.get_service_model(service).operation_model(operation), f"{side}_shape")
    record = cleaned(shown(getattr(compiled, side), holding(model, path)))
    assert "confidential" not in str(record)
    assert HIDDEN in str(record)


def holding(shape: Any, path: tuple[str, ...]) -> Any:
    """Return a value of a shape that has a secret at a path."""
    if shape.type_name == "list":
        return [holding(shape.member, path)]
    if shape.type_name == "structure":
        return {path[0]: holding(shape.members[path[0]], path[1:])}
    return b"confidential" if shape.type_name == "blob" else "confidential"


def test_there_are_secrets() -> None:
    assert len(FOUND) > 20
