"""What `headrace forecast` is asked to do, checked at the door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.options import QUANTILES, Filling, PanelOptions, TrainingOptions
from headrace.ml.errors import OptionError
from headrace.ml.tables.names import suggest

PLACES = ("front", "middle", "back", "future", "aggregation")


@dataclass(frozen=True)
class Costs:
    """What a unit too many and a unit too few cost, in `currency`; nothing says so where both are 0."""

    over: float = 0.0
    under: float = 0.0
    currency: str = "USD"

    def __post_init__(self) -> None:
        """Refuse amounts that no decision follows from."""
        for name, amount in (("over", self.over), ("under", self.under)):
            if not 0 <= amount < float("inf"):
                raise OptionError(f"--cost-{name} {amount:g} is no cost; give what a unit costs, 0 or more")
        if (self.over > 0) != (self.under > 0):
            given, missing = ("over", "under") if self.over > 0 else ("under", "over")
            raise OptionError(f"--cost-{given} is given and --cost-{missing} is not; both together tell what to stock")

    @property
    def level(self) -> float | None:
        """Return the quantile to stock, under / (under + over), within 0.01 to 0.99; None where nothing costs."""
        if not self.over:
            return None
        return round(min(0.99, max(0.01, self.under / (self.under + self.over))), 4)


def parse_quantiles(text: str) -> tuple[float, ...]:
    """Read `.1,.5,.9`, ascending and each once.

    >>> parse_quantiles(".9,.1, p50")
    (0.1, 0.5, 0.9)
    """
    found = set()
    for part in text.split(","):
        word = part.strip().lower()
        try:
            level = float(word[1:]) / 100 if word.startswith("p") else float(word)
        except ValueError:
            raise OptionError(f"--quantiles '{text}' holds '{part}', which is not a number; write .1,.5,.9") from None
        if not 0 < level < 1:
            raise OptionError(f"--quantiles '{text}' holds {level:g}, which is not between 0 and 1; write .1,.5,.9")
        found.add(level)
    return tuple(sorted(found))


def parse_fills(entries: Sequence[str], target: str) -> Mapping[str, Filling]:
    """Read `middle=zero`, `aggregation=mean` or `price:future=interpolate` into rules by attribute."""
    rules: dict[str, dict[str, Any]] = {}
    for entry in entries:
        name, _, rule = entry.partition("=")
        attribute, _, place = name.rpartition(":")
        if place not in PLACES or not rule:
            raise OptionError(
                f"--fill '{entry}' is not a rule{suggest(place, PLACES)}; write PLACE=RULE, such as middle=zero, "
                "or COLUMN:PLACE=RULE"
            )
        rules.setdefault(attribute or target, {})[place] = _number(rule) if place != "aggregation" else rule
    return {attribute: Filling(**given) for attribute, given in rules.items()}


def _number(rule: str) -> str | float:
    try:
        return float(rule)
    except ValueError:
        return rule


@dataclass(frozen=True)
class Request:
    """What is asked for: the columns, the training, and what over- and under-stocking cost."""

    columns: PanelOptions
    training: TrainingOptions
    costs: Costs = Costs()

    @classmethod
    def of(
        cls, *, time: str, target: str, horizon: int, item: str | None = None, dimensions: Sequence[str] = (),
        frequency: str | None = None, quantiles: Sequence[float] = QUANTILES, holidays: str | None = None,
        budget: float | None = None, costs: Costs | None = None, fills: Sequence[str] = (),
        time_zone: str | None = None, metric: str = "wQL", windows: int | None = None,
        algorithms: Sequence[str] = (), seed: int = 0,
    ) -> Request:  # fmt: skip
        """Put together what the command line gives, with the quantile that the costs ask for among the others."""
        costs = costs or Costs()
        levels = {*quantiles, *([] if costs.level is None else [costs.level])}
        columns = PanelOptions(
            time=time, target=target, item=item, dimensions=tuple(dimensions), horizon=horizon,
            frequency=None if frequency is None else Frequency.parse(frequency),
            filling=parse_fills(fills, target), time_zone=time_zone, holidays=holidays,
        )  # fmt: skip
        training = TrainingOptions(
            horizon=horizon, quantiles=tuple(sorted(levels)), windows=windows, algorithms=tuple(algorithms) or None,
            optimise=metric, budget=budget, seed=seed,
        )  # fmt: skip
        return cls(columns, training, costs)
