"""What monitoring finds: a sentence each, how grave it is, and the figures behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headrace.ml.monitoring.distances import Distance

ALARM = 0.01
"""At most this share of monitorings of rows that did not change finds anything to act on, as far as the tests hold."""


class Level(StrEnum):
    """How grave a finding is."""

    BROKEN = "broken"  # the data are not what they were meant to be: repair the source
    DRIFT = "drift"  # the world changed more than chance explains, and enough to matter
    NOTE = "note"  # worth knowing, nothing to act on


@dataclass(frozen=True)
class Finding:
    """One thing that changed: `kind` is what (such as "distribution"), `column` where (None: not in a column).

    A finding with a `p_value` counts only where that stays small after the correction for many tests; what it becomes
    else is `otherwise` (None: nothing is said).
    """

    kind: str
    column: str | None
    level: Level
    sentence: str
    p_value: float | None = None
    otherwise: Level | None = None


@dataclass(frozen=True)
class ColumnChange:
    """What was measured of a column, of the predictions or of the target; `distance` is None where none fits.

    `missing` and `missing_before` are shares of rows; `unseen` counts rows with a label, `beyond` with a number, that
    no training row had.
    """

    name: str
    kind: str
    distance: Distance | None
    missing_before: float = 0.0
    missing: float = 0.0
    unseen: int = 0
    beyond: int = 0
    drifted: bool = False
