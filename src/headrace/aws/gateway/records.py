"""What the audit trail shows of parameters and answers: CloudTrail's casing, nothing secret, no bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from headrace.aws.specification import Shape

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
Show = Callable[[Any], Any]


def shown(shape: Shape | None, value: dict[str, Any]) -> dict[str, Any] | None:
    """Return a structure as CloudTrail shows it: members begin in lower case, sensitive ones are hidden."""
    if shape is None or not value:
        return None
    result: dict[str, Any] = shape.compiled(_show)(value)
    return result


def _show(shape: Shape) -> Show:
    if shape.has("sensitive"):
        return _hide
    if shape.has("streaming") or shape.has("eventstream") or shape.kind == "blob":
        return _leave_out
    if shape.kind == "timestamp":
        return _time
    if shape.kind == "list":
        member = shape.member.compiled(_show)
        return lambda values: [member(value) for value in values]
    if shape.kind == "map":
        values_of = shape.value.compiled(_show)
        return lambda values: {key: values_of(value) for key, value in values.items()}
    if shape.kind != "structure" or shape.has("document"):
        return _same
    members = {name: (name[:1].lower() + name[1:], each.compiled(_show)) for name, each in shape.members.items()}

    def structure(value: dict[str, Any]) -> dict[str, Any]:
        return {members[name][0]: each if each is None else members[name][1](each) for name, each in value.items()}

    return structure


def _hide(_: Any) -> str:
    return HIDDEN


def _leave_out(_: Any) -> None:
    return None


def _same(value: Any) -> Any:
    return value


def _time(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    moment = value.astimezone(UTC)
    return f"{moment:%b} {moment.day}, {moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"
