"""The probability from which on to act: what earns the most, or has the best F1, within KPIs and capacity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Task
from headrace.ml.metrics import Values, interval, positive_probability
from headrace.ml.metrics.outcomes import Outcomes
from headrace.ml.process.business_goals.goal import Allowed, Goal, band, goal_of

if TYPE_CHECKING:
    from headrace.ml.process.business_problem import BusinessProblem
    from headrace.ml.process.preparation import Preparation
    from headrace.ml.process.problem_framing import ProblemFraming
    from headrace.ml.process.training import Training

SURELY, NARROWLY, NOT = "surely", "narrowly", "no"
"""How a threshold meets the KPIs it decides: by their 95 % intervals, by their values, or not all of them."""
_MOST_POINTS = 200
_SMOOTHED_SHARE = 0.02
_SEED = 0


@dataclass(frozen=True)
class Threshold:
    """The decision threshold on the positive class's probability, chosen on held-out rows.

    `low` and `high` bound it (95 %, bootstrap): how far the choice depends on the rows. `curve`: [{threshold, share,
    precision, recall, f1, meets, expected_value, low, high}]; `share` of the rows is acted on, and the money with its
    95 % interval is there with money only. `meets`: surely, narrowly or no; "" without KPIs that a threshold decides.
    `alternatives`: what would have been chosen without a limit, by the limit's name (`kpis`, `capacity`).
    """

    value: float
    chosen_by: str
    expected_value: float | None
    curve: tuple[Mapping[str, Any], ...]
    low: float | None = None
    high: float | None = None
    meets: str = ""
    alternatives: Mapping[str, float] = field(default_factory=dict)


def choose_threshold(
    business: BusinessProblem, framing: ProblemFraming, training: Training, preparation: Preparation
) -> Threshold | None:
    """Choose the threshold that earns the most by the charter's money, or the best F1 without; None unless binary.

    It is chosen on held-out rows among those that meet the KPIs, by their intervals where one does, and act on no more
    rows than the capacity allows.
    """
    if framing.task is not Task.BINARY:
        return None
    scores = positive_probability(training.held_out)
    return pick_threshold(
        goal_of(business.charter), Outcomes.at_every(preparation.target[training.held_out_rows], scores)
    )


def pick_threshold(goal: Goal, steps: Outcomes) -> Threshold:
    """Pick a threshold from `steps`, which are all there are on held-out rows.

    What it is worth is smoothed over neighbouring thresholds (2 % of them), so that one lucky row does not decide.
    """
    search = _Search(goal, steps)
    chosen, meets = search.best(goal)
    without = {"kpis": replace(goal, bounds=()), "capacity": replace(goal, capacity=None)}
    limited = {"kpis": bool(goal.bounds), "capacity": goal.capacity is not None}
    alternatives = {name: search.best(less)[0] for name, less in without.items() if limited[name]}
    low, high = search.spread(goal, meets)
    value = float(steps.thresholds[chosen])
    money = None if goal.payoffs is None else float(search.worth[chosen])
    return Threshold(
        value=value,
        chosen_by=_said(goal, steps, search.worth[chosen], meets),
        expected_value=money,
        curve=search.curve(),
        low=min(low, value),  # resamples of few rows may all choose another
        high=max(high, value),
        meets=meets,
        alternatives={name: float(steps.thresholds[place]) for name, place in alternatives.items()},
    )


def best_place(goal: Goal, steps: Outcomes) -> int:
    """Return where among `steps` the best threshold is, where KPIs count as met by their values."""
    kept, capable = goal.meets(steps), goal.within_capacity(steps)
    allowed = kept & capable
    return _top(_smooth(goal.worth(steps)), allowed if allowed.any() else capable)


class _Search:
    """All thresholds, and resamples at a grid of them that holds those that may be chosen."""

    def __init__(self, goal: Goal, steps: Outcomes) -> None:
        self.goal, self.steps = goal, steps
        self.worth = goal.worth(steps)
        self.smooth = _smooth(self.worth)
        kept, capable = goal.meets(steps), goal.within_capacity(steps)
        tiers = (kept & capable, kept, capable, np.ones_like(kept))
        options = [_top(self.smooth, allowed) for allowed in tiers if allowed.any()]
        last = len(self.worth) - 1
        even = np.linspace(0, last, min(last + 1, _MOST_POINTS - len(options))).round().astype(np.int64)
        self.grid = np.union1d(even, options)
        self.resamples = steps.only(self.grid).resampled(seed=_SEED)
        self.narrow, self.sure = kept, np.zeros_like(kept)
        self.sure[self.grid] = goal.meets(steps.only(self.grid), self.resamples)

    def best(self, goal: Goal) -> tuple[int, str]:
        """Return the place of the best threshold for `goal` (or it with a limit less), and how it meets the KPIs."""
        capable = goal.within_capacity(self.steps)
        if not goal.bounds:
            return _top(self.smooth, capable), ""
        for allowed, meets in ((self.sure, SURELY), (self.narrow, NARROWLY)):
            if (allowed & capable).any():
                return _top(self.smooth, allowed & capable), meets
        return _top(self.smooth, capable), NOT

    def spread(self, goal: Goal, meets: str) -> tuple[float, float]:
        """Return the 95 % interval of the threshold that resamples of the rows would choose."""
        worth = _smooth(goal.worth(self.resamples))
        allowed = {SURELY: self.sure, NARROWLY: self.narrow}.get(meets)
        capable = goal.within_capacity(self.resamples)
        both = capable if allowed is None else capable & allowed[self.grid]
        open_to = np.where(both.any(axis=1, keepdims=True), both, capable)
        places = np.where(open_to, worth, -np.inf).argmax(axis=1)
        return interval(self.steps.thresholds[self.grid[places]])

    def curve(self) -> tuple[dict[str, Any], ...]:
        """Return at most 200 points, evenly spread over the thresholds, the best ones among them; rising."""
        points, goal = self.steps.only(self.grid), self.goal
        columns: dict[str, Any] = {"threshold": points.thresholds}
        columns |= {name: points.rate(name) for name in ("share", "precision", "recall", "f1")}
        columns["recall"] = np.nan_to_num(columns["recall"])
        if goal.bounds:
            sure, narrow = self.sure[self.grid], self.narrow[self.grid]
            columns["meets"] = np.where(sure, SURELY, np.where(narrow, NARROWLY, NOT))
        if goal.payoffs is not None:
            low, high = band(self.resamples.money(goal.payoffs))
            columns |= {"expected_value": self.worth[self.grid], "low": low, "high": high}
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        curve = [dict(zip(columns, row, strict=True)) for row in rows]
        for point in curve:
            point["precision"] = point["precision"] if point["share"] else 1.0
        return tuple(reversed(curve))


def _top(values: Values, allowed: Allowed) -> int:
    return int(np.where(allowed, values, -np.inf).argmax())


def _smooth(values: Values) -> Values:
    """Average over neighbouring thresholds; the ends, acting on all or none, stand for themselves."""
    length = values.shape[-1]
    width = max(1, int(length * _SMOOTHED_SHARE)) // 2
    if width == 0:
        return values
    total = np.cumsum(values, axis=-1)
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), total], axis=-1)
    places: npt.NDArray[np.int64] = np.arange(length)
    reach = np.minimum(width, np.minimum(places, length - 1 - places))
    return np.asarray((total[..., places + reach + 1] - total[..., places - reach]) / (2 * reach + 1))


def _said(goal: Goal, steps: Outcomes, worth: float, meets: str) -> str:
    rows = f"{int(steps.rows):,} held-out rows"
    if goal.payoffs is None:
        said = f"best F1 on {rows} ({worth:.3f}), as the charter gives no money"
    else:
        said = f"most money on {rows} ({worth:.4g} {goal.currency} a decision)"
    asked = " and ".join(map(str, goal.bounds))
    said += {
        SURELY: f", among the thresholds that surely meet {asked}",
        NARROWLY: f", among the thresholds that meet {asked}, though none does so beyond chance",
        NOT: f"; no threshold meets {asked}",
    }.get(meets, "")
    return said if goal.capacity is None else f"{said}, with capacity for {goal.capacity.text}"
