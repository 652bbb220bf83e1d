"""Shapes of a service model: resolved once, and compiled into functions on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from threading import RLock
from typing import Any, TypeVar, cast

from botocore import xform_name

T = TypeVar("T", bound=Callable[..., Any])
_COMPILING = RLock()
_NOT_TRAITS = frozenset({"shape", "documentation"})


class Shape:
    """One shape, with the traits of the reference that leads to it; the same reference gives the same object.

    `kind` is botocore's type ("structure", "list", "map", "string", "integer", "long", "float", "double", "boolean",
    "timestamp", "blob"); `traits` is its raw model ("locationName", "min", "pattern", "sensitive", …).
    """

    def __init__(self, shapes: Shapes, name: str, traits: Mapping[str, Any], member_name: str | None = None):
        self.service = shapes.service
        self.name = name
        self.kind: str = traits["type"]
        self.traits = traits
        self._member_name = member_name
        self._shapes = shapes
        self._built: dict[Any, Any] = {}
        self._building: set[Any] = set()

    def __repr__(self) -> str:
        return f"<{self.kind} {self.service}:{self.name}>"

    @cached_property
    def members(self) -> Mapping[str, Shape]:
        """The members of a structure by their names in the model."""
        references = self.traits.get("members", {})
        return {name: self._shapes.resolve(reference) for name, reference in references.items()}

    @cached_property
    def member(self) -> Shape:
        """The shape of a list's elements."""
        return self._shapes.resolve(self.traits["member"])

    @cached_property
    def key(self) -> Shape:
        """The shape of a map's keys."""
        return self._shapes.resolve(self.traits["key"])

    @cached_property
    def value(self) -> Shape:
        """The shape of a map's values."""
        return self._shapes.resolve(self.traits["value"])

    @cached_property
    def plain_names(self) -> Mapping[str, str]:
        """The members' names by their names in plain data: {"role_name": "RoleName"}."""
        return {snake_case(name): name for name in self.members}

    @cached_property
    def event_member(self) -> str:
        """The member that is a stream of events, or an empty text."""
        return next((name for name, member in self.members.items() if member.has("eventstream")), "")

    def has(self, trait: str) -> bool:
        """Tell whether a trait is set and true."""
        return bool(self.traits.get(trait))

    def wire_name(self, default: str) -> str:
        """Return the name that the wire uses for a member of this shape, or `default` where the model gives none."""
        return default if self._member_name is None else self._member_name

    def root_name(self, default: str) -> str:
        """Return the name of this shape's element when it is a document's root."""
        name: str = self.traits.get("locationName", default)
        return name

    def compiled(self, make: Callable[[Shape], T]) -> T:
        """Return what `make` builds of this shape, built once; a shape that contains itself is resolved when called."""
        built: T | None = self._built.get(make)
        if built is not None:
            return built
        with _COMPILING:
            if make in self._built:
                return self._built[make]  # type: ignore[no-any-return]
            if make in self._building:
                return self._later(make)
            self._building.add(make)
            try:
                built = make(self)
            finally:
                self._building.discard(make)
            self._built[make] = built
            return built

    def _later(self, make: Callable[[Shape], T]) -> T:
        def resolved(*values: Any) -> Any:
            return self.compiled(make)(*values)

        return cast(T, resolved)


class Shapes:
    """All shapes of one service, resolved when they are first asked for."""

    def __init__(self, service: str, models: Mapping[str, Mapping[str, Any]]):
        self.service = service
        self.models = models
        self._interned: dict[tuple[str, str], Shape] = {}

    def resolve(self, reference: Mapping[str, Any]) -> Shape:
        """Return the shape that a reference of the model ({"shape": "RoleName", "locationName": …}) stands for."""
        traits = {name: value for name, value in reference.items() if name not in _NOT_TRAITS}
        name = reference["shape"]
        identity = (name, repr(sorted(traits.items())) if traits else "")
        found = self._interned.get(identity)
        if found is None:
            model = self.models[name]
            own_name = None if model["type"] == "structure" else model.get("locationName")
            shape = Shape(self, name, {**model, **traits}, traits.get("locationName", own_name))
            found = self._interned.setdefault(identity, shape)
        return found


def snake_case(name: str) -> str:
    """Return a model's name as plain data writes it: TrainingJobName becomes training_job_name."""
    plain: str = xform_name(name)
    return plain
