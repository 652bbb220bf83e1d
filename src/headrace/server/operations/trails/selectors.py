"""Event selectors and insight selectors of trails; source: AWS, "PutEventSelectors", "PutInsightSelectors"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput, NotFound
from headrace.server.operations.trails import state
from headrace.server.operations.trails.names import find_home_trail, find_trail
from headrace.server.security.audit.selection import EVERYTHING_MANAGED, OPERATORS, VALUES

BASIC_TYPES = ("AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table")
EXCLUDABLE = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
MOST_BASIC, MOST_DATA_VALUES, MOST_CONDITIONS = 5, 250, 500
EQUALS_ONLY = ("eventCategory", "readOnly", "resources.type")


def put_event_selectors(
    context: Context,
    *,
    trail_name: str,
    event_selectors: Sequence[dict[str, Any]] | None = None,
    advanced_event_selectors: Sequence[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Replace what a trail selects, by basic or by advanced selectors; raises InvalidInput on any that mean nothing."""
    stored = find_home_trail(context, trail_name)
    if (event_selectors is None) == (advanced_event_selectors is None):
        raise _wrong("give either EventSelectors or AdvancedEventSelectors, one of the two")
    running = state.state_of(context.connection, stored.arn)
    kept = {name: value for name, value in running.selectors.items() if name.startswith("insight")}
    if event_selectors is not None:
        chosen: dict[str, Any] = {"event_selectors": [_basic(each) for each in event_selectors]}
        _check_basic(chosen["event_selectors"])
    else:
        chosen = {"advanced_event_selectors": list(advanced_event_selectors or ())}
        _check_advanced(chosen["advanced_event_selectors"])
    state.select_events(context.connection, running, kept | chosen)
    return {"trail_arn": stored.arn, **chosen}


def get_event_selectors(context: Context, *, trail_name: str) -> dict[str, Any]:
    """Return what a trail selects; raises NotFound."""
    stored = find_trail(context, trail_name)
    selectors = state.state_of(context.connection, stored.arn).selectors
    names = ("event_selectors", "advanced_event_selectors")
    return {"trail_arn": stored.arn} | {name: selectors[name] for name in names if name in selectors}


def put_insight_selectors(
    context: Context,
    *,
    insight_selectors: Sequence[dict[str, Any]],
    trail_name: str | None = None,
    event_data_store: str | None = None,
    insights_destination: str | None = None,
) -> dict[str, Any]:
    """Store the insight selectors of a trail; insights themselves are not computed."""
    stored = find_home_trail(context, _only_trail(trail_name, event_data_store or insights_destination))
    running = state.state_of(context.connection, stored.arn)
    chosen = list(insight_selectors)
    state.select_events(context.connection, running, running.selectors | {"insight_selectors": chosen})
    return {"trail_arn": stored.arn, "insight_selectors": chosen}


def get_insight_selectors(
    context: Context, *, trail_name: str | None = None, event_data_store: str | None = None
) -> dict[str, Any]:
    """Return the insight selectors of a trail; raises NotFound where it has none."""
    stored = find_trail(context, _only_trail(trail_name, event_data_store))
    chosen = state.state_of(context.connection, stored.arn).selectors.get("insight_selectors")
    if not chosen:
        raise NotFound(
            f"the trail {stored.name!r} has no insight selectors; put some first", code="InsightNotEnabledException"
        )
    return {"trail_arn": stored.arn, "insight_selectors": chosen}


def is_custom(selectors: Mapping[str, Any]) -> bool:
    """Tell whether somebody chose the selectors of a trail."""
    return bool(selectors.get("event_selectors") != EVERYTHING_MANAGED["event_selectors"])


def _only_trail(trail_name: str | None, store: str | None) -> str:
    if store or not trail_name:
        raise InvalidInput(
            "event data stores do not exist here; name a trail", code="InvalidParameterCombinationException"
        )
    return trail_name


def _basic(selector: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "read_write_type": selector.get("read_write_type") or "All",
        "include_management_events": selector.get("include_management_events", True),
        "data_resources": selector.get("data_resources") or [],
        "exclude_management_event_sources": selector.get("exclude_management_event_sources") or [],
    }


def _check_basic(selectors: Sequence[Mapping[str, Any]]) -> None:
    if not 1 <= len(selectors) <= MOST_BASIC:
        raise _wrong(f"{len(selectors)} event selectors are given; give 1 to {MOST_BASIC}")
    data = [resource for each in selectors for resource in each["data_resources"]]
    for resource in data:
        if resource.get("type") not in BASIC_TYPES:
            raise _wrong(f"the data resource type {resource.get('type')!r} is none of {', '.join(BASIC_TYPES)}")
        values = resource.get("values") or []
        bad = next((value for value in values if not value.startswith("arn:")), None)
        if bad is not None or not values:
            raise _wrong(f"the values of {resource['type']} must be ARNs or their beginnings, not {bad!r}")
    if sum(len(resource["values"]) for resource in data) > MOST_DATA_VALUES:
        raise _wrong(f"more than {MOST_DATA_VALUES} data resources are named; name fewer, or the whole service")
    excluded = {source for each in selectors for source in each["exclude_management_event_sources"]}
    if not excluded <= set(EXCLUDABLE):
        raise _wrong(f"only {' and '.join(EXCLUDABLE)} can be excluded, not {', '.join(sorted(excluded))}")


def _check_advanced(selectors: Sequence[Mapping[str, Any]]) -> None:
    if not selectors:
        raise _wrong("no advanced event selector is given; give at least one")
    if sum(
        len(field.get(name) or ()) for each in selectors for field in each["field_selectors"] for name in OPERATORS
    ) > (MOST_CONDITIONS):
        raise _wrong(f"the selectors have more than {MOST_CONDITIONS} values in all; give fewer")
    for selector in selectors:
        fields = {field["field"]: field for field in selector["field_selectors"]}
        if len(fields) != len(selector["field_selectors"]):
            raise _wrong("a field is named twice in one selector; put its operators together")
        for name, field in fields.items():
            _check_field(name, field)
        category = (fields.get("eventCategory") or {}).get("equals")
        if category not in (["Management"], ["Data"], ["NetworkActivity"]):
            raise _wrong("each selector needs the field eventCategory with Equals Management, Data or NetworkActivity")
        kinds = (fields.get("resources.type") or {}).get("equals") or []
        if category == ["Data"] and len(kinds) != 1:
            raise _wrong("a selector of data events needs the field resources.type with one value in Equals")
        if category == ["Management"] and any(name.startswith("resources.") for name in fields):
            raise _wrong("a selector of management events can't ask for resources; leave those fields out")


def _check_field(name: str, field: Mapping[str, Any]) -> None:
    given = [operator for operator in OPERATORS if field.get(operator)]
    if name not in VALUES:
        raise _wrong(f"{name!r} is no field that events have; use one of {', '.join(VALUES)}")
    if not given:
        raise _wrong(f"the field {name} has no operator; give Equals, StartsWith, EndsWith or their negations")
    if name in EQUALS_ONLY and given != ["equals"]:
        raise _wrong(f"the field {name} takes Equals and no other operator")


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, code="InvalidEventSelectorsException")
