"""What a resource is: its kind, declared once, and the record of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Resource:
    """A kind of resource.

    `kind` is "service/type" ("iam/role"); `title` is what sentences call it; `arn` is a template over {partition},
    {region}, {account}, {name} and the record's own members; `states` maps each state to those that may follow it, its
    first key being the first state; `regional` is False where names are unique across regions; `lasting` are the states
    in which it cannot be deleted; `mismatch` is the service's code for an idempotency token that came with another
    request, where it is not that of Conflict.
    """

    kind: str
    title: str
    arn: str
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regional: bool = True
    lasting: frozenset[str] = frozenset()
    mismatch: str = ""

    def arn_of(self, place: Place, name: str, record: Mapping[str, Any]) -> str:
        """Return the ARN of the resource of that name and record at a place."""
        members = {"partition": place.partition, "region": place.region, "account": place.account, "name": name}
        return self.arn.format_map({**record, **members})


@dataclass(frozen=True)
class Place:
    """Where a resource lives: AWS's partition, account and region."""

    account: str
    region: str
    partition: str = "aws"


@dataclass(frozen=True)
class Stored:
    """One resource as it is stored; `record` holds the members that its describe operation answers with."""

    kind: str
    account: str
    region: str
    name: str
    arn: str
    record: dict[str, Any]
    state: str = ""
    parent: str = ""
    policy: str | None = None
    version: int = 1
    created: int = 0
    modified: int = 0


@dataclass(frozen=True)
class Page:
    """A part of a listing; `position` is where the next part begins, or None at the end."""

    items: list[Stored]
    position: list[Any] | None
