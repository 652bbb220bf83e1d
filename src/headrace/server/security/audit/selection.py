"""Event selectors, basic and advanced: which events a trail asks for; source: AWS, "PutEventSelectors"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EVERYTHING_MANAGED: dict[str, Any] = {
    "event_selectors": [
        {
            "read_write_type": "All",
            "include_management_events": True,
            "data_resources": [],
            "exclude_management_event_sources": [],
        }
    ]
}
"""The selectors of a trail that nobody gave any."""

Predicate = Callable[["Facts"], bool]


@dataclass(frozen=True, slots=True)
class Facts:
    """What selectors may ask of an event; `resources` are (type, ARN) pairs."""

    category: str
    source: str
    name: str
    read_only: bool
    resources: tuple[tuple[str, str], ...] = ()
    caller: str = ""
    error_code: str = ""


def selects(selectors: Mapping[str, Any]) -> Predicate:
    """Return the predicate of a trail's selectors ({"event_selectors": …} or {"advanced_event_selectors": …})."""
    advanced = [_advanced(each) for each in selectors.get("advanced_event_selectors") or ()]
    basic = [_basic(each) for each in selectors.get("event_selectors") or ()]
    chosen = advanced or basic
    return lambda facts: any(each(facts) for each in chosen)


def _basic(selector: Mapping[str, Any]) -> Predicate:
    wanted = {"ReadOnly": (True,), "WriteOnly": (False,)}.get(selector.get("read_write_type", "All"), (True, False))
    managed = selector.get("include_management_events", True)
    excluded = set(selector.get("exclude_management_event_sources") or ())
    data = [(each["type"], tuple(each.get("values") or ())) for each in selector.get("data_resources") or ()]

    def chosen(facts: Facts) -> bool:
        if facts.read_only not in wanted:
            return False
        if facts.category == "Management":
            return bool(managed) and facts.source not in excluded
        return any(
            kind == of and any(_within(value, arn) for value in values)
            for kind, arn in facts.resources
            for of, values in data
        )

    return chosen


def _within(value: str, arn: str) -> bool:
    whole_service = value.count(":") == 2
    return arn.startswith(f"{value}:") if whole_service else arn.startswith(value)


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "equals": str.__eq__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "not_equals": str.__eq__,
    "not_starts_with": str.startswith,
    "not_ends_with": str.endswith,
}


def _advanced(selector: Mapping[str, Any]) -> Predicate:
    fields = [_field(each) for each in selector["field_selectors"]]
    return lambda facts: all(each(facts) for each in fields)


def _field(selector: Mapping[str, Any]) -> Predicate:
    values = VALUES[selector["field"]]
    conditions = [(name, OPERATORS[name], tuple(selector[name])) for name in OPERATORS if selector.get(name)]

    def holds(facts: Facts) -> bool:
        found = values(facts)
        for name, compare, operands in conditions:
            matched = any(compare(value, operand) for value in found for operand in operands)
            if matched == name.startswith("not_"):
                return False
        return True

    return holds


VALUES: Mapping[str, Callable[[Facts], Sequence[str]]] = {
    "eventCategory": lambda facts: (facts.category,),
    "readOnly": lambda facts: ("true" if facts.read_only else "false",),
    "eventSource": lambda facts: (facts.source,),
    "eventName": lambda facts: (facts.name,),
    "resources.type": lambda facts: [kind for kind, _ in facts.resources],
    "resources.ARN": lambda facts: [arn for _, arn in facts.resources],
    "eventType": lambda _: ("AwsApiCall",),
    "userIdentity.arn": lambda facts: (facts.caller,),
    "sessionCredentialFromConsole": lambda _: ("false",),
    "errorCode": lambda facts: (facts.error_code,) if facts.error_code else (),
    "vpcEndpointId": lambda _: (),
}
"""How each field that advanced selectors name is read of an event."""
