"""What is asked for: where the data lie and how gaps are filled, and how a predictor is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.errors import OptionError
from headrace.ml.tables.names import suggest

MOST_HORIZON = 500
MOST_WINDOWS = 5
QUANTILES = (0.1, 0.5, 0.9)
METRICS = ("wQL", "WAPE", "RMSE", "MAPE", "MASE")
AGGREGATIONS = ("sum", "mean", "first", "last", "min", "max")
FILLS = ("none", "zero", "value", "nan", "mean", "median", "min", "max", "interpolate", "previous")

_PLACES = ("front", "middle", "back", "future")


@dataclass(frozen=True)
class Filling:
    """How the gaps of one attribute are filled, and how several values of a period become one.

    `aggregation` is one of `AGGREGATIONS` (AWS's avg is mean). `front` are the periods before an item's first value
    back to the first of all, `middle` those within, `back` those from its last value to the last of all, `future`
    those of the horizon (related series only). Each is one of `FILLS`, or a number, which is filled in; mean, median,
    min and max are those of the item's own values, `interpolate` the line between the neighbours and `previous` the
    value before (outside of the known both are the nearest). None finds out for a target, see `panel.target`, and is
    `previous` for the history of a related series.
    """

    aggregation: str | None = None
    front: str | float | None = None
    middle: str | float | None = None
    back: str | float | None = None
    future: str | float | None = None

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str], attribute: str = "target") -> Filling:
        """Read AWS's map: aggregation, frontfill, middlefill, backfill, futurefill and their `_value`s.

        >>> Filling.from_parameters({"aggregation": "avg", "backfill": "value", "backfill_value": "2"})
        Filling(aggregation='mean', front=None, middle=None, back=2.0, future=None)
        """
        known = {"aggregation", *(f"{place}fill{end}" for place in _PLACES for end in ("", "_value"))}
        for name in parameters:
            if name not in known:
                raise OptionError(f"'{name}' is no way to fill '{attribute}'{suggest(name, known)}")
        found: dict[str, str | float] = {}
        if "aggregation" in parameters:
            asked = parameters["aggregation"].lower()
            found["aggregation"] = {"avg": "mean"}.get(asked, asked)
        for place in _PLACES:
            rule, value = parameters.get(f"{place}fill"), parameters.get(f"{place}fill_value")
            if rule == "value" and value is None:
                raise OptionError(f"{place}fill of '{attribute}' is value, but {place}fill_value is not given")
            if rule is not None:
                found[place] = _number(value or "", f"{place}fill_value", attribute) if rule == "value" else rule
        return cls(**found)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        """Refuse rules that are none."""
        if self.aggregation is not None and self.aggregation not in AGGREGATIONS:
            raise OptionError(f"aggregation '{self.aggregation}' is unknown; use one of {', '.join(AGGREGATIONS)}")
        for place in _PLACES:
            rule = getattr(self, place)
            if isinstance(rule, str) and (rule not in FILLS or rule == "value"):
                others = ", ".join(name for name in FILLS if name != "value")
                raise OptionError(f"{place}fill '{rule}' is unknown; use a number or one of {others}")


AMAZON_FILLING = Filling("sum", "none", "zero", "zero")
"""What Amazon Forecast does with a target where nothing else is asked for."""


def _number(text: str, name: str, attribute: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise OptionError(f"{name} of '{attribute}' is '{text}', which is not a number") from None


@dataclass(frozen=True)
class PanelOptions:
    """Which columns hold what, and how they become regular series.

    `time` and `target` are columns of the target's table, `item` and `dimensions` those whose labels tell series apart
    (none: one series). `frequency` None finds out. `filling` is by attribute, the target's by its column name.
    `time_zone` (`Europe/Berlin`) is what time stamps with an offset are brought to; those without one stay as they are.
    `holidays` is a country's code (`US`, or `US-CA`), `date_format` a strptime format where it is known. Periods begin
    where most time stamps lie, but with `keep_boundaries` as `frequency` says. With `share` (3 or 4), a horizon longer
    than that part of the longest history is refused.
    """

    time: str
    target: str
    item: str | None = None
    dimensions: tuple[str, ...] = ()
    horizon: int = 1
    frequency: Frequency | None = None
    filling: Mapping[str, Filling] = field(default_factory=dict)
    time_zone: str | None = None
    holidays: str | None = None
    date_format: str | None = None
    keep_boundaries: bool = False
    share: int = 3

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the columns whose labels tell series apart."""
        return (*(() if self.item is None else (self.item,)), *self.dimensions)

    def __post_init__(self) -> None:
        """Refuse a horizon out of range, and a column that is named twice."""
        check_horizon(self.horizon)
        named = [*self.keys, self.time, self.target]
        if twice := next((name for name in named if named.count(name) > 1), None):
            raise OptionError(
                f"column '{twice}' is named twice; time, target, item and dimensions are different columns"
            )


@dataclass(frozen=True)
class Sources:
    """Where the tables lie: paths or addresses, the related series and the items' metadata where there are any."""

    target: str | Path
    related: str | Path | None = None
    items: str | Path | None = None


@dataclass(frozen=True)
class TrainingOptions:
    """How a predictor is trained.

    `windows` backtest windows (None chooses 1 to 5), the last `window_offset` periods before the end (None is the
    horizon); `algorithms` names those to use (None: all that fit); `optimise` is one of `METRICS`; `budget` in seconds.
    """

    horizon: int
    quantiles: tuple[float, ...] = QUANTILES
    windows: int | None = None
    window_offset: int | None = None
    algorithms: tuple[str, ...] | None = None
    optimise: str = "wQL"
    budget: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check_horizon(self.horizon)
        if not self.quantiles or any(not 0.0 < level < 1.0 for level in self.quantiles):
            raise OptionError(f"quantiles lie between 0 and 1, such as .1,.5,.9; these are {self.quantiles}")
        if tuple(sorted(set(self.quantiles))) != self.quantiles:
            raise OptionError(f"quantiles ascend and differ; these are {self.quantiles}")
        if self.windows is not None and not 1 <= self.windows <= MOST_WINDOWS:
            raise OptionError(f"{self.windows} backtest windows are out of range; use 1 to {MOST_WINDOWS}")
        if self.window_offset is not None and self.window_offset < self.horizon:
            raise OptionError(
                f"the backtest window begins {self.window_offset} periods before the end, fewer than the horizon of "
                f"{self.horizon}; begin it at least as far back"
            )
        if self.optimise not in METRICS:
            raise OptionError(f"there is no accuracy metric '{self.optimise}'; use one of {', '.join(METRICS)}")
        if self.budget is not None and not self.budget > 0:
            raise OptionError(f"a budget of {self.budget:g} s is none; give more than 0")


def check_horizon(horizon: int) -> None:
    """Raise `OptionError` for a horizon that no history can bear: it is 1 to 500 periods."""
    if not 1 <= horizon <= MOST_HORIZON:
        raise OptionError(f"the horizon of {horizon} periods is out of range; use 1 to {MOST_HORIZON}")
