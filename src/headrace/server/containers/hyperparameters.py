"""Hyperparameters as they travel: texts, checked one by one against what an image declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter of an image.

    `read` turns its text into a value and raises ValueError with what is allowed ("must be a whole number from 1 to
    1,000"); `default` is None where the algorithm decides; `required` ones must be given. `tunable` is the range that
    AWS recommends for tuning, as ("continuous" | "integer" | "categorical", low or choices, high, scaling).
    """

    read: Callable[[str], Any]
    meaning: str
    default: Any = None
    required: bool = False
    tunable: tuple[Any, ...] | None = None
