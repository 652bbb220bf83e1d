"""Whether the forecasts are worth using: measured against forecasts that cost nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.ml.applications.forecasting.predictor import ENSEMBLE, Predictor

GO, CONDITIONS, NO_GO = "go", "go-with-conditions", "no-go"
_RESAMPLES, _LEAST_ITEMS = 400, 10
_FAR = 0.1


@dataclass(frozen=True)
class Judgement:
    """The decision with its reasons: the metric of the ensemble and of the better reference, and what it gains.

    `gain` is the share of the reference's error that is saved, `low` to `high` its 95 % interval over items.
    """

    decision: str
    reasons: tuple[str, ...]
    reference: str | None
    value: float
    reference_value: float | None
    gain: float | None
    low: float | None = None
    high: float | None = None


def judge(predictor: Predictor) -> Judgement:
    """Decide by the metric that was optimised, averaged over the backtest windows."""
    metric = predictor.options.optimise
    value = predictor.average().metric(metric)
    others = {
        name: each
        for name in ("seasonal_naive", "naive")
        if name in predictor.accuracy and np.isfinite(each := predictor.average(name).metric(metric))
    }
    if not others or not np.isfinite(value):
        return Judgement(CONDITIONS, ("there was nothing to measure the forecasts against",), None, value, None, None)
    reference = min(others, key=lambda name: others[name])
    best = others[reference]
    gain = 1.0 - value / best if best > 0 else 0.0
    low, high = _interval(predictor, reference)
    title = reference.replace("_", " ")
    said = f"the error ({metric}) is {value:.4g} in the backtest windows, and that of {title} {best:.4g}"
    reasons = [f"{said}: {abs(gain):.1%} {'less' if gain >= 0 else 'more'}".replace("%", "\u00a0%")]
    conditions = _conditions(predictor, metric, reference)
    if gain <= 0 or (low is not None and high is not None and high <= 0):
        decision = NO_GO
        reasons.append(f"{title} forecasts as well; use that, or give a longer history or related series")
    elif conditions or (low is not None and low <= 0):
        decision = CONDITIONS
        if low is not None and low <= 0:
            reasons.append("the gain could be chance: its 95 % interval over the items reaches 0")
        reasons += conditions
    else:
        decision = GO
    return Judgement(decision, tuple(reasons), reference, value, best, gain, low, high)


def _conditions(predictor: Predictor, metric: str, reference: str) -> list[str]:
    windows, found = predictor.accuracy[ENSEMBLE], []
    if len(windows) == 1:
        found.append("there was one backtest window only, on which the models were weighed, too")
    pairs = zip(windows, predictor.accuracy[reference], strict=False)
    worse = sum(ours.metric(metric) >= theirs.metric(metric) for ours, theirs in pairs)
    if worse:
        found.append(f"in {worse} of {len(windows)} windows {reference.replace('_', ' ')} was better")
    levels = predictor.options.quantiles
    promised, kept = levels[-1] - levels[0], predictor.average().coverage
    if promised > 0 and abs(kept - promised) > _FAR and len(windows) > 1:
        said = f"{kept:.0%} of the values lay between the outer quantiles, which promise {promised:.0%}"
        found.append(said.replace("%", "\u00a0%"))
    return found


def _interval(predictor: Predictor, reference: str) -> tuple[float | None, float | None]:
    """Return the 95 % interval of the gain when items are drawn anew."""
    ours, theirs = predictor.item_losses[ENSEMBLE], predictor.item_losses.get(reference)
    if theirs is None:
        return None, None
    known = np.isfinite(ours) & np.isfinite(theirs)
    if known.sum() < _LEAST_ITEMS:
        return None, None
    ours, theirs = ours[known], theirs[known]
    drawn = np.random.default_rng(0).integers(0, len(ours), (_RESAMPLES, len(ours)))
    below = theirs[drawn].sum(axis=1)
    gains = 1.0 - ours[drawn].sum(axis=1) / np.where(below > 0, below, 1.0)
    low, high = np.quantile(gains, (0.025, 0.975))
    return float(low), float(high)
