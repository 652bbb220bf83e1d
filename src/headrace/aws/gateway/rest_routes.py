"""The operation of a REST service that a method, a path and a query name: the most specific wins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from headrace.aws import specification
from headrace.aws.protocols.http_request import decoded, label_names, path_pattern
from headrace.aws.specification import Operation, Shape
from headrace.aws.specification.once import once


@dataclass(frozen=True)
class Match:
    """An operation that fits, its decoded labels, and how specific its path is (smaller is more)."""

    operation: Operation
    labels: Mapping[str, str]
    rank: tuple[int, ...]


@dataclass(frozen=True)
class _Candidate:
    """An operation with what tells it from others at the same path."""

    operation: Operation
    fixed: Mapping[str, str]
    required: frozenset[str]
    headers: frozenset[str]
    known: frozenset[str]

    def fits(self, query: Mapping[str, str]) -> bool:
        return all(query.get(name) == value or (not value and name in query) for name, value in self.fixed.items())

    def complete(self, query: Mapping[str, str], header: Mapping[str, str]) -> bool:
        return self.required <= query.keys() and self.headers <= header.keys()

    @property
    def order(self) -> tuple[bool, int]:
        found = len(self.fixed) + len(self.required) + len(self.headers)
        return bool(self.operation.traits.get("deprecated")), -found


@dataclass
class _Route:
    """One path of one method, and the operations there."""

    template: str
    pattern: re.Pattern[str]
    rank: tuple[int, ...]
    candidates: list[_Candidate] = field(default_factory=list)


class _Paths:
    """The paths of one method, by how they begin: most services have none that begins as a request does."""

    def __init__(self, routes: list[_Route]):
        first = [(beginning(route.template), route) for route in routes]
        self._any = [route for word, route in first if "{" in word]
        self._by_word = {
            word: [route for each, route in first if each == word or "{" in each]
            for word, _ in first
            if "{" not in word
        }

    def beginning_as(self, path: str) -> list[_Route]:
        """Return the routes that may fit a path, the most specific first."""
        return self.beginning_with(beginning(path))

    def beginning_with(self, word: str) -> list[_Route]:
        """Return the routes that may fit a path whose first part is a word, the most specific first."""
        return self._by_word.get(word, self._any)


class RestRoutes:
    """All paths of one service."""

    def __init__(self, service: str):
        self._methods: dict[str, _Paths] = {}
        self._subresources: frozenset[str] = frozenset()
        model = specification.service(service)
        routes: dict[tuple[str, str], _Route] = {}
        operations = [found for name in model.operation_names if (found := model.operation(name))]
        for operation in operations:
            template = _normalised(operation.path)
            route = routes.setdefault((operation.method, template), _route(template))
            route.candidates.append(_candidate(operation))
        methods: dict[str, list[_Route]] = {}
        for (method, _), route in routes.items():
            route.candidates.sort(key=lambda each: each.order)
            methods.setdefault(method, []).append(route)
        self._methods = {
            method: _Paths(sorted(found, key=lambda route: route.rank)) for method, found in methods.items()
        }
        self._subresources = frozenset(name for operation in operations for name, _ in operation.query)

    def begins(self, method: str, word: str) -> bool:
        """Tell whether any path of a method may begin with a word."""
        paths = self._methods.get(method)
        return paths is not None and bool(paths.beginning_with(word))

    def find(self, method: str, path: str, query: Mapping[str, str], header: Mapping[str, str]) -> Match | None:
        """Return the operation that a request means, or None; `path` is still percent-encoded.

        Query names that stand for subresources of the service must belong to the operation: DELETE /bucket?cors never
        means DeleteBucket. Among those that fit, the one whose required parts are all there and most wins.
        """
        paths = self._methods.get(method)
        asked = self._subresources & query.keys()
        for route in paths.beginning_as(path) if paths else ():
            found = route.pattern.fullmatch(path)
            if found is None:
                continue
            fitting = [each for each in route.candidates if asked <= each.known and each.fits(query)]
            chosen = next((each for each in fitting if each.complete(query, header)), fitting[-1] if fitting else None)
            if chosen is not None:
                texts = zip(label_names(route.template), found.groups(), strict=True)
                return Match(chosen.operation, {name: decoded(text) for name, text in texts}, route.rank)
        return None


@once
def rest_routes(service: str) -> RestRoutes:
    """Return the paths of a service, made once."""
    return RestRoutes(service)


def _route(template: str) -> _Route:
    greedy = template.endswith("+}")
    pattern = path_pattern(template) if greedy else re.compile(f"{path_pattern(template).pattern}/?", re.DOTALL)
    return _Route(template, pattern, tuple(_ranks(template)))


def beginning(path: str) -> str:
    """Return the first part of a path, up to its second slash."""
    return path.split("/", 2)[1] if path.startswith("/") else ""


def _normalised(template: str) -> str:
    return template.rstrip("/") or ""


def _ranks(template: str) -> Iterator[int]:
    for segment in template.split("/"):
        yield 2 if segment.endswith("+}") else 1 if "{" in segment else 0


def _candidate(operation: Operation) -> _Candidate:
    members = _bound(operation.input) if operation.input else []
    queries = frozenset(wire for _, location, wire in members if location == "querystring")
    required = set(operation.input.traits.get("required", ())) if operation.input else set()
    return _Candidate(
        operation=operation,
        fixed=dict(operation.query),
        required=frozenset(wire for name, location, wire in members if location == "querystring" and name in required),
        headers=frozenset(
            wire.lower() for name, location, wire in members if location == "header" and name in required
        ),
        known=queries | {name for name, _ in operation.query},
    )


def _bound(shape: Shape) -> list[tuple[str, str, str]]:
    """Return (member, location, wire name) of the members that are in the query or in headers."""
    members = (
        (name, member.traits.get("location", ""), member.wire_name(name)) for name, member in shape.members.items()
    )
    return [each for each in members if each[1] in {"querystring", "header"}]
