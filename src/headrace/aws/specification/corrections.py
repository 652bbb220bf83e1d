"""Constraints of botocore's models that contradict AWS's own documentation, and what holds instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CORRECTIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "forecast": {
        # It is the shape of roles of IAM too, and of the states that lists are filtered by.
        "Arn": {"pattern": None},
        # AWS page CreateDataset: an integer and a unit, beyond the few that the model lists.
        "Frequency": {"pattern": r"^([1-9]\d?)?[YMWDH]$|^[1-9]\d?min$"},
    },
}
"""By service and shape: traits that replace those of the model; None removes one."""


def corrected(service: str, model: dict[str, Any]) -> dict[str, Any]:
    """Return the model of a service with its corrections."""
    for shape, traits in CORRECTIONS.get(service, {}).items():
        for trait, value in traits.items():
            if value is None:
                model["shapes"][shape].pop(trait, None)
            else:
                model["shapes"][shape][trait] = value
    return model
