"""How missing values are filled and values added up: AWS's words for it, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.errors import InvalidInput

FILLED = ("zero", "value", "median", "mean", "min", "max")
TARGET: Mapping[str, tuple[str, ...]] = {
    "aggregation": ("sum", "avg", "first", "min", "max"),
    "frontfill": ("none",),
    "middlefill": (*FILLED, "nan"),
    "backfill": (*FILLED, "nan"),
}
RELATED: Mapping[str, tuple[str, ...]] = {"middlefill": FILLED, "backfill": FILLED, "futurefill": FILLED}
"""The parameters of the target and of related attributes, each with the values that it may have."""

DEFAULTS = {"aggregation": "sum", "frontfill": "none", "middlefill": "zero", "backfill": "zero"}
"""What the target gets where nothing is said."""

Rules = dict[str, str]


def filling_rules(
    given: Sequence[tuple[str, Mapping[str, str]]], target: str, related: Sequence[str]
) -> dict[str, Rules]:
    """Return the rules by attribute, the target's with AWS's defaults; raises InvalidInput.

    `given` are (attribute, parameters), `related` the numeric attributes of the related time series (AWS page: Amazon
    Forecast developer guide, Handling Missing Values).
    """
    found: dict[str, Rules] = {target: dict(DEFAULTS)}
    seen: set[str] = set()
    for name, parameters in given:
        if name in seen:
            raise InvalidInput(f"The attribute '{name}' is configured twice; put its parameters together")
        seen.add(name)
        if name != target and name not in related:
            known = ", ".join([target, *related])
            raise InvalidInput(
                f"The attribute '{name}' is neither the target nor numeric in the related time series; use one of "
                f"{known}"
            )
        rules = _checked(name, parameters, TARGET if name == target else RELATED)
        found[name] = {**found.get(name, {}), **rules}
    return found


def _checked(name: str, parameters: Mapping[str, str], allowed: Mapping[str, tuple[str, ...]]) -> Rules:
    for key, value in parameters.items():
        kind = key.removesuffix("_value")
        if key.endswith("_value") and kind in allowed and kind != "aggregation":
            if parameters.get(kind) != "value":
                raise InvalidInput(f"The attribute '{name}' has {key} and no {kind} of 'value'; set that, or leave it")
            if not _is_number(value):
                raise InvalidInput(f"The {key} {value!r} of the attribute '{name}' is no number; give one")
        elif key not in allowed:
            raise InvalidInput(
                f"The attribute '{name}' has the unknown parameter '{key}'; use one of {', '.join(allowed)}"
            )
        elif value not in allowed[key]:
            raise InvalidInput(
                f"The {key} of the attribute '{name}' can't be '{value}'; use one of {', '.join(allowed[key])}"
            )
        elif value == "value" and f"{key}_value" not in parameters:
            raise InvalidInput(f"The {key} of the attribute '{name}' is 'value' and none is given; add {key}_value")
    return dict(parameters)


def _is_number(text: Any) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
