"""Search expressions: checked once, then asked about each record; source: AWS, "SearchExpression"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from headrace.server.errors import InvalidInput
from headrace.server.operations.lineage.search.comparisons import check_filter, compare
from headrace.server.operations.lineage.search.properties import elements, plain, values

MOST_PARTS = 50
"""Filters, nested filters and expressions in an expression, however deep."""

_OFTEN_CONTAINED = (
    "displayname", "experimentname", "trialname", "trialcomponentname", "tags", "inputartifacts", "outputartifacts",
)  # fmt: skip
"""Properties on which Contains may stand more than once."""

Known = Callable[[str], bool]
"""Tells whether a resource has the property of a name."""


def check(expression: Mapping[str, Any], known: Known) -> None:
    """Raise InvalidInput, in a sentence, on an expression that can't be asked about a resource."""
    contains = 0
    for number, each in enumerate(_parts(expression)):
        if number > MOST_PARTS:
            raise InvalidInput(f"SearchExpression has more than {MOST_PARTS} filters and expressions; search in steps")
        if "nested_property_name" in each:
            _check_together(each, known)
        elif "name" in each:
            contains += _checked(each, known)
        elif not any(each.get(name) for name in ("filters", "nested_filters", "sub_expressions")):
            raise InvalidInput("A SearchExpression needs at least one of Filters, NestedFilters and SubExpressions")
    if contains > 1:
        raise InvalidInput("'CONTAINS' operator usage limit of 1 exceeded.")


def matches(expression: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Tell whether a record satisfies an expression."""
    answers = _answers(expression, document)
    return any(answers) if expression.get("operator") == "Or" else all(answers)


def wanted_exactly(expression: Mapping[str, Any], name: str) -> str | None:
    """Return the one text that a property must have in every record that satisfies an expression, if it says so."""
    if expression.get("operator") == "Or":
        return None
    for each in expression.get("filters") or ():
        if plain(each["name"]) == plain(name) and _operator(each) == "Equals":
            return str(each["value"])
    return None


def _parts(expression: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield expression
    yield from expression.get("filters") or ()
    for nested in expression.get("nested_filters") or ():
        yield nested
        yield from nested["filters"]
    for inner in expression.get("sub_expressions") or ():
        yield from _parts(inner)


def _checked(each: Mapping[str, Any], known: Known) -> int:
    """Check a filter; return 1 if it counts towards the limit of Contains."""
    name = each["name"]
    if not known(name):
        raise InvalidInput(f"Unknown property name: {name}; SearchRecord in SageMaker's API names those there are")
    wanted = _operator(each)
    check_filter(name, wanted, each.get("value"))
    return int(wanted == "Contains" and plain(name.partition(".")[0]) not in _OFTEN_CONTAINED)


def _check_together(nested: Mapping[str, Any], known: Known) -> None:
    name = nested["nested_property_name"]
    if not known(name):
        raise InvalidInput(f"Unknown property name: {name}; SearchRecord in SageMaker's API names those there are")
    stranger = next((each["name"] for each in nested["filters"] if not _inside(each["name"], name)), None)
    if stranger is not None:
        raise InvalidInput(f"The nested filter on {name} has a filter on {stranger}; its name must begin with {name}.")


def _inside(name: str, outer: str) -> bool:
    return plain(name).startswith(f"{plain(outer)}.")


def _answers(expression: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[bool]:
    for each in expression.get("filters") or ():
        yield _satisfies(each, values(document, each["name"]))
    for nested in expression.get("nested_filters") or ():
        yield _one_satisfies(nested["filters"], nested["nested_property_name"], document)
    for inner in expression.get("sub_expressions") or ():
        yield matches(inner, document)


def _one_satisfies(filters: Sequence[Mapping[str, Any]], outer: str, document: Mapping[str, Any]) -> bool:
    depth = outer.count(".") + 1
    return any(
        all(_satisfies(each, values(element, each["name"].split(".", depth)[depth])) for each in filters)
        for element in elements(document, outer)
    )


def _satisfies(each: Mapping[str, Any], found: Sequence[Any]) -> bool:
    return compare(each["name"], _operator(each), found, each.get("value") or "")


def _operator(each: Mapping[str, Any]) -> str:
    return str(each.get("operator") or "Equals")
