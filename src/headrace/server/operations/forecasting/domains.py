"""The schemas that Amazon Forecast's domains ask for, and what each field of a dataset is.

AWS page: Predefined Dataset Domains and Dataset Types. Every domain names what is forecast in its own words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.server.errors import InvalidInput
from headrace.server.resources import Stored

TARGET, RELATED, METADATA = "TARGET_TIME_SERIES", "RELATED_TIME_SERIES", "ITEM_METADATA"
TIMESTAMP = "timestamp"
NUMBERS = ("integer", "float")
LABELS = ("string", "geolocation")
MOST_COLUMNS: Mapping[str, int] = {TARGET: 13, RELATED: 25, METADATA: 10}
"""AWS page: Guidelines and Quotas."""


@dataclass(frozen=True)
class Domain:
    """The field that names the items, and the field that is forecast."""

    item: str
    target: str


DOMAINS: Mapping[str, Domain] = {
    "RETAIL": Domain("item_id", "demand"),
    "INVENTORY_PLANNING": Domain("item_id", "demand"),
    "EC2_CAPACITY": Domain("instance_type", "number_of_instances"),
    "WORK_FORCE": Domain("workforce_type", "workforce_demand"),
    "WEB_TRAFFIC": Domain("item_id", "value"),
    "METRICS": Domain("metric_name", "metric_value"),
    "CUSTOM": Domain("item_id", "target_value"),
}


@dataclass(frozen=True)
class Layout:
    """What the fields of a dataset are, in the order of its schema.

    `target` and `timestamp` are "" where the type of the dataset has none; `dimensions` are the labels that tell series
    of an item apart, `features` what is left: numbers of related series, numbers and labels of items.
    """

    kind: str
    types: Mapping[str, str]
    item: str
    timestamp: str
    target: str
    dimensions: tuple[str, ...]
    features: tuple[str, ...]

    @property
    def geolocation(self) -> str:
        """The field of a place, "" where there is none."""
        return next((name for name, each in self.types.items() if each == "geolocation"), "")

    @property
    def keys(self) -> tuple[str, ...]:
        """The fields that name one row."""
        return (self.item, *self.dimensions, *([self.timestamp] if self.timestamp else []))


def layout_of(domain: str, kind: str, attributes: Sequence[Mapping[str, str]]) -> Layout:
    """Return what the fields of a checked schema are."""
    named = DOMAINS[domain]
    types = {each["attribute_name"]: each["attribute_type"] for each in attributes}
    timed, target = kind != METADATA, named.target if kind == TARGET else ""
    rest = [name for name in types if name not in (named.item, target, TIMESTAMP if timed else "")]
    dimensions = tuple(name for name in rest if timed and types[name] in LABELS)
    features = tuple(name for name in rest if name not in dimensions)
    return Layout(kind, types, named.item, TIMESTAMP if timed else "", target, dimensions, features)


def layout(dataset: Stored) -> Layout:
    """Return what the fields of a dataset are."""
    record = dataset.record
    return layout_of(record["domain"], record["dataset_type"], record["schema"]["attributes"])


def check_schema(domain: str, kind: str, schema: Mapping[str, Any]) -> None:
    """Raise InvalidInput on a schema that the domain or the type of the dataset does not allow."""
    attributes = schema.get("attributes") or ()
    if not all(each.get("attribute_name") and each.get("attribute_type") for each in attributes) or not attributes:
        raise InvalidInput("Each attribute of Schema needs an AttributeName and an AttributeType; give both")
    twice = [name for name, count in Counter(each["attribute_name"] for each in attributes).items() if count > 1]
    if twice:
        raise InvalidInput(f"The schema has the attribute {twice[0]!r} more than once; names must be unique")
    if len(attributes) > MOST_COLUMNS[kind]:
        raise InvalidInput(
            f"The schema has {len(attributes)} attributes, and a {kind} dataset has at most {MOST_COLUMNS[kind]}"
        )
    types = {each["attribute_name"]: each["attribute_type"] for each in attributes}
    _check_required(domain, kind, types)
    _check_others(domain, kind, types)


def _check_required(domain: str, kind: str, types: Mapping[str, str]) -> None:
    named = DOMAINS[domain]
    required: dict[str, tuple[str, ...]] = {named.item: ("string",)}
    if kind != METADATA:
        required[TIMESTAMP] = ("timestamp",)
    if kind == TARGET:
        required[named.target] = NUMBERS
    for name, allowed in required.items():
        if name not in types:
            raise InvalidInput(
                f"A {kind} dataset of the {domain} domain must have the attribute {name!r} of type "
                f"{' or '.join(allowed)}; the schema has {', '.join(types)}"
            )
        if types[name] not in allowed:
            raise InvalidInput(
                f"The attribute {name!r} of a {kind} dataset of the {domain} domain must be of type "
                f"{' or '.join(allowed)}, not {types[name]}"
            )


def _check_others(domain: str, kind: str, types: Mapping[str, str]) -> None:
    named = DOMAINS[domain]
    allowed = {TARGET: LABELS, RELATED: (*LABELS, *NUMBERS), METADATA: (*LABELS, *NUMBERS)}[kind]
    own = {named.item} | ({TIMESTAMP} if kind != METADATA else set()) | ({named.target} if kind == TARGET else set())
    for name, each in types.items():
        if name not in own and each not in allowed:
            raise InvalidInput(
                f"The attribute {name!r} of a {kind} dataset must be of type {', '.join(allowed)}, not {each}"
            )
    places = [name for name, each in types.items() if each == "geolocation"]
    if len(places) > 1:
        raise InvalidInput(f"The schema has the geolocations {', '.join(places)}; a dataset has one at most")
    if kind == RELATED and all(types[name] in LABELS for name in types if name not in own):
        raise InvalidInput("A RELATED_TIME_SERIES dataset needs at least one attribute of type integer or float")
