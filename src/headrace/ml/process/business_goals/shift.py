"""The shift of predicted numbers that costs the least where errors below and above have different prices."""

from __future__ import annotations

import numpy as np

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics import bootstrap, weighted_mean
from headrace.ml.metrics.money import UnitCosts
from headrace.ml.process.business_goals.expected_value import figure
from headrace.ml.process.business_goals.findings import shown

_SEED = 0
_REPLICATES = 200
_MOST_ROWS = 20_000


def choose_shift(costs: UnitCosts, target: Target, predictions: Predictions) -> dict[str, float]:
    """Return {value, low, high, level}: what to add to every prediction, chosen on held-out rows, with 95 % interval.

    It is the quantile of the errors at the level under / (under + over), which no other shift undercuts; zero where
    errors cost nothing. Source: Koenker & Bassett, Regression Quantiles, 1978.
    """
    total = costs.under + costs.over
    if total == 0:
        return {"value": 0.0, "low": 0.0, "high": 0.0, "level": 0.5}
    level = costs.under / total
    errors = np.asarray(target - predictions, dtype=np.float64)
    generator = np.random.default_rng(_SEED)
    sample = errors if len(errors) <= _MOST_ROWS else generator.choice(errors, _MOST_ROWS, replace=False)
    value = float(np.quantile(errors, level))
    drawn = np.array(
        [np.quantile(generator.choice(sample, len(sample)), level) for _ in range(_REPLICATES)], dtype=np.float64
    )
    drawn = value + (drawn - np.quantile(sample, level)) * np.sqrt(len(sample) / len(errors))
    return figure(value, drawn) | {"level": level}


def weigh_shift(costs: UnitCosts, shift: float, target: Target, predictions: Predictions) -> dict[str, float]:
    """Return {value, low, high}: the money a decision that the shift brings on the test part."""
    brought = costs.earned(target, predictions + shift) - costs.earned(target, predictions)
    drawn = bootstrap(lambda rows: {"": weighted_mean(brought[rows])}, len(target), seed=_SEED)
    return figure(float(brought.mean()), drawn[""])


def advise_shift(
    costs: UnitCosts, currency: str, held_out: tuple[Target, Predictions], test: tuple[Target, Predictions]
) -> tuple[str, ...]:
    """Say what to add to every prediction, where that brings money on the test part beyond chance.

    `held_out` and `test` are targets and predictions; the shift is chosen on the former.
    """
    shift = choose_shift(costs, *held_out)
    brings = weigh_shift(costs, shift["value"], *test)
    if costs.under == costs.over or not brings["low"] > 0:
        return ()
    dear = "low" if costs.under > costs.over else "high"
    return (
        f"Add {shown(shift['value'])} to every prediction where it is used, as too {dear} a one costs more: that "
        f"brings {shown(brings['value'])} {currency} a prediction on the test part (95 % interval "
        f"{shown(brings['low'])} to {shown(brings['high'])}).",
    )
