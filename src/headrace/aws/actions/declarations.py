"""What names alone don't tell of a service's actions: other actions, resources named by other parameters, and so on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.server.resources import Place

Parameters = Mapping[str, Any]
Named = Callable[[Parameters, Place], Iterable[str]]


@dataclass(frozen=True)
class Action:
    """One IAM action; `required` and `optional` are resource types, `access` one of AWS's five access levels."""

    name: str
    access: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    passes_role: bool = False

    @property
    def read_only(self) -> bool:
        """Tell whether the action only reads."""
        return self.access in ("Read", "List")


@dataclass(frozen=True)
class Rule:
    """One action that an operation needs.

    `resources` are ARN templates over {partition}, {region}, {account} and the operation's parameters, or a function of
    these; without any, the action's resource types tell. The rule counts only `when` a parameter is there, and `unless`
    one is. `keys` tells whether condition keys are filled from the parameters; `given` are those that are always the
    same.
    """

    action: str
    resources: tuple[str, ...] | Named = ()
    when: str = ""
    unless: str = ""
    keys: bool = True
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Declared:
    """The declarations of one service.

    `operations` are those that need other actions than the one of their name, or none at all: (). `parameters` names,
    for the placeholder of an ARN template, the parameters that fill it; `templates` replaces the ARN template of a
    resource type; `stored` tells the kind of stored resource whose ARN a name doesn't tell. `keys` gives the paths of
    parameters ("production_variants[].instance_type") that a condition key takes its values from. `writes` are
    operations that change something although AWS calls their access reading. Roles are passed on to `principal`.
    `newer` are actions that AWS's tables don't have yet, and `newer_types` the ARN templates of their resource types.
    With `lower_case`, ARNs hold names in lower case, however a request writes them. `tagging` is the action that
    creating something with tags needs as well.
    """

    operations: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    writes: frozenset[str] = frozenset()
    principal: str = ""
    newer: tuple[Action, ...] = ()
    newer_types: Mapping[str, str] = field(default_factory=dict)
    lower_case: bool = False
    tagging: str = ""
