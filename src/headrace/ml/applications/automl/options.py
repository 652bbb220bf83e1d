"""What a run is asked to do: checked at the door, and kept so that the run can be resumed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from headrace.ml.contract import Task
from headrace.ml.errors import OptionError, SourceError
from headrace.ml.tables.names import suggest

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
SHORTEST_BUDGET = 10.0


def parse_duration(text: str | float) -> float:
    """Read a duration such as 90, '60s', '5m' or '1.5h' into seconds.

    >>> parse_duration("5m")
    300.0
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|)\s*", str(text))
    if match is None:
        raise OptionError(f"budget '{text}' is not a duration; write it as 60s, 5m or 1h")
    return float(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True)
class Options:
    """The options of `headrace run`; `source`, `test` and `charter` are absolute paths or URLs.

    Exactly one of `budget` (seconds) and `trials` limits the search: with `trials` the budget is None.
    """

    source: str
    target: str | None = None
    task: Task | None = None
    test: str | None = None
    charter: str | None = None
    budget: float | None = 60.0
    trials: int | None = None
    metric: str | None = None
    seed: int = 0
    exclude: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    mitigate: str | None = None
    time: str | None = None
    group: str | None = None
    joins: tuple[str, ...] = ()
    coverage: float = 0.9
    item: str | None = None
    contamination: float | None = None
    window: int | None = None
    horizon: int | None = None

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        if self.budget is not None and self.budget < SHORTEST_BUDGET:
            raise OptionError(f"budget {self.budget:g}s is too short for the nine steps; give at least 10s")
        if self.trials is not None and self.trials < 1:
            raise OptionError(f"--trials {self.trials} tries nothing; give at least 1")
        if self.contamination is not None and not 0 < self.contamination <= 0.5:
            raise OptionError(f"--contamination {self.contamination:g} is no share of anomalies; give 0.01 for 1 %")
        if self.window is not None and self.window < 1:
            raise OptionError(f"--window {self.window} holds no value; give at least 1")
        if self.horizon is not None and self.horizon < 1:
            raise OptionError(f"--horizon {self.horizon} forecasts nothing; give at least 1")
        if not 0 < self.coverage < 1:
            percent = 10 <= self.coverage < 100
            hint = f"did you mean {self.coverage / 100:g}?" if percent else "give a share such as 0.9"
            raise OptionError(f"--coverage {self.coverage:g} is not a share between 0 and 1; {hint}")
        if not 0 <= self.seed < 2**31:
            raise OptionError(f"seed {self.seed} is out of range; give a whole number from 0 to {2**31 - 1}")

    def to_json(self) -> str:
        """Write the options as JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Options:
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        known = {f.name for f in fields(cls)}
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
        return cls(**values | {"task": Task(values["task"]) if values.get("task") else None})


def parse_task(name: str | None) -> Task | None:
    """Read the value of `--task`, suggesting the nearest name where it is unknown."""
    if name is None:
        return None
    try:
        return Task(name.replace("-", "_"))
    except ValueError:
        known = [task.value for task in Task]
        raise OptionError(f"task '{name}' is unknown{suggest(name, known)}; choose from {', '.join(known)}") from None


def absolute_joins(joins: Sequence[str]) -> tuple[str, ...]:
    """Check what stands after each `--join`, and make its table's path independent of the current folder."""
    from headrace.ml.tables.joining.specification import parse_join

    requests = [parse_join(join) for join in joins]
    return tuple(replace(request, source=absolute(request.source) or "").text for request in requests)


def absolute(source: str | Path | None) -> str | None:
    """Make a path independent of the current folder; URLs stay as they are."""
    if source is None or "://" in str(source):
        return None if source is None else str(source)
    if not str(source).strip():
        raise SourceError("the table's name is empty; give the path of a file")
    return str(Path(source).expanduser().absolute())
