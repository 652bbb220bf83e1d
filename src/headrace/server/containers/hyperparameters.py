"""Hyperparameters as they travel: texts, checked one by one against what an image declares."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from headrace.server.containers.values import boolean

TUNING_OBJECTIVE = "_tuning_objective_metric"
PREFIX_OF_CLIENTS = "sagemaker_"


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter of an image.

    `read` turns its text into a value and raises ValueError with what is allowed ("must be a whole number from 1 to
    1,000"); `default` is None where the algorithm decides; `required` ones must be given. `tunable` is the range that
    AWS recommends for tuning, as ("continuous" | "integer" | "categorical", low or choices, high, scaling).
    `aliases` are other names that mean it.
    """

    read: Callable[[str], Any]
    meaning: str
    default: Any = None
    required: bool = False
    tunable: tuple[Any, ...] | None = None
    aliases: tuple[str, ...] = ()


FORCE_DENSE = Parameter(boolean, "accepted, no effect: the SageMaker SDK sends it", default=True)


def read_hyperparameters(declared: Mapping[str, Parameter], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the value of every declared hyperparameter: the given one, or its default.

    A text in double quotes is the JSON text that some clients send. What tuning jobs and the SageMaker SDK add by
    themselves is left out. Raises ClientError with one sentence that names all that are unknown, missing and bad.
    """
    from headrace.server.containers.contract import ClientError

    names = {other: name for name, parameter in declared.items() for other in (name, *parameter.aliases)}
    values = {name: parameter.default for name, parameter in declared.items()}
    problems: list[str] = []
    seen: dict[str, str] = {}
    for other, text in given.items():
        name = names.get(other)
        if name is None:
            problems += _unknown(other, names)
        elif name in seen:
            problems.append(f"Hyperparameters {seen[name]} and {other} are the same one; give it once")
        else:
            seen[name] = other
            try:
                values[name] = declared[name].read(_unquoted(text))
            except ValueError as error:
                shown = text if len(text) <= 100 else f"{text[:100]}..."
                problems.append(f"Hyperparameter {other}: '{shown}' {error}")
    missing = [name for name, parameter in declared.items() if parameter.required and name not in seen]
    if missing:
        named = ", ".join(f"'{name}'" for name in missing)
        problems.append(f"No value(s) were specified for {named} which are required hyperparameter(s)")
    if problems:
        raise ClientError("; ".join(problems))
    return values


def _unknown(name: str, names: Mapping[str, str]) -> Iterator[str]:
    if name != TUNING_OBJECTIVE and not name.startswith(PREFIX_OF_CLIENTS):
        near = get_close_matches(name, names, n=1)
        yield f"Extraneous hyperparameter found: {name[:100]}" + (f" (did you mean {near[0]}?)" if near else "")


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text
