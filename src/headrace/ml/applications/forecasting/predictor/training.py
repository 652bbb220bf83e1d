"""Training a predictor: backtest, weights, calibration, and the models across items fitted once more on everything."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models import MODELS
from headrace.ml.applications.forecasting.models.contract import Arrays
from headrace.ml.applications.forecasting.options import TrainingOptions
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.applications.forecasting.predictor.assignments import Answer, Assignment
from headrace.ml.applications.forecasting.predictor.backtest import Backtest
from headrace.ml.applications.forecasting.predictor.calibration import GRID, Calibration, calibrate, no_calibration
from headrace.ml.applications.forecasting.predictor.groups import kinds_of
from headrace.ml.applications.forecasting.predictor.impacts import Explaining, Impact, measure_impacts
from headrace.ml.applications.forecasting.predictor.plan import GLOBAL_SHARE, REFERENCES, Clock, candidates
from headrace.ml.applications.forecasting.predictor.predictor import ENSEMBLE, Backtested, Predictor, not_negative
from headrace.ml.applications.forecasting.predictor.records import WindowAccuracy, measure
from headrace.ml.applications.forecasting.predictor.trials import MEDIAN, Trials, item_losses
from headrace.ml.applications.forecasting.predictor.weights import Weights, blend, weigh
from headrace.ml.applications.forecasting.predictor.windows import choose_windows
from headrace.ml.applications.forecasting.predictor.workers import Workers
from headrace.ml.process.progress import Progress

Floats = npt.NDArray[np.float64]


def train(
    panel: Panel, options: TrainingOptions, progress: Progress | None = None, *, workers: int | None = None
) -> Predictor:
    """Train a predictor on a panel.

    `options.budget` is the time for training and the first forecast together. `workers` are processes (None: as many
    as cores, or none for a small panel). Raises `DataError` for histories too short, `OptionError` for an unknown
    algorithm, and `BudgetError` where no model could forecast.
    """
    begin = time.monotonic()
    told = progress or Progress(budget=options.budget)
    models, windows = candidates(panel, options), choose_windows(panel, options)
    levels = tuple(sorted({*options.quantiles, *GRID}))
    clock = Clock.of(options.budget)
    with Workers(panel, count=workers) as running:
        backtest = Backtest(
            panel, options, windows, models, levels, running, clock,
            lambda doing, fraction: told.tell(doing, fraction=0.8 * fraction),
        )  # fmt: skip
        trials = backtest.run()
        told.tell("weighing the models", fraction=0.8)
        members = _members(trials, options)
        kinds = kinds_of(panel)
        weights, honest = weigh(trials.of(members), kinds, options.optimise, options.quantiles)
        calibration, honest_values = _calibrate(trials.of(members), honest)
        accuracy, backtests = _measure(panel, trials, members, honest, honest_values, options)
        across = [
            name for name in members if MODELS[name].across_items and weights.items.sum(axis=0)[members.index(name)]
        ]
        states = _fit_across(panel, across, options, levels, running, clock, told)
    missing = [name for name in across if name not in states]
    weights = _without(weights, missing)
    impacts = _impacts(panel, states)
    notes = (*backtest.notes, *(f"{name} could not be fitted once more, and is left out" for name in missing))
    told.tell(f"trained in {time.monotonic() - begin:.1f} s", fraction=1.0)
    return Predictor(
        options=options, frequency=panel.frequency, dimensions=panel.dimensions, items=panel.items, weights=weights,
        calibration=calibration, accuracy=accuracy, item_losses=_item_losses(trials, backtests, options),
        backtests=backtests, states=states, limits={name: backtest.limits.get(name) for name in weights.models},
        related=tuple(panel.related), impacts=impacts, notes=notes,
    )  # fmt: skip


def _members(trials: Trials, options: TrainingOptions) -> tuple[str, ...]:
    """Return the models that may get weight: those asked for, or all; the references alone only where asked for."""
    asked = options.algorithms
    found = tuple(name for name in trials.models if asked is None or name in asked)
    return found or trials.models


def _calibrate(trials: Trials, honest: Sequence[Floats]) -> tuple[Calibration, list[Floats]]:
    """Return the calibration, and the ensemble's quantiles [n, h, q] in each window, calibrated by the others."""
    blended = [blend(weights, trial.values) for weights, trial in zip(honest, trials.windows, strict=True)]
    actual, levels = [trial.actual for trial in trials.windows], trials.quantiles
    count, middle = len(blended), levels.index(MEDIAN)
    found = []
    for held in range(count):
        others = [w for w in range(count) if w != held]
        learnt = (
            calibrate([actual[w] for w in others], [blended[w] for w in others], levels)
            if others
            else no_calibration(trials.windows[0].window.horizon)
        )
        found.append(learnt.apply(blended[held][..., middle], blended[held], levels))
    return calibrate(actual, blended, levels), found


def _measure(
    panel: Panel, trials: Trials, members: Sequence[str], honest: Sequence[Floats], values: Sequence[Floats],
    options: TrainingOptions,
) -> tuple[dict[str, tuple[WindowAccuracy, ...]], tuple[Backtested, ...]]:  # fmt: skip
    """Measure every model and the ensemble in every window."""
    positions = [trials.quantiles.index(level) for level in options.quantiles]
    own = trials.of(members)
    records: dict[str, list[WindowAccuracy]] = {name: [] for name in (ENSEMBLE, *trials.models)}
    backtests = []
    for place, trial in enumerate(trials.windows):
        mean, quantile = blend(honest[place], own.windows[place].means), values[place][..., positions]
        mean, quantile = not_negative(panel, mean, quantile)
        for name, means, levels in (
            (ENSEMBLE, mean, quantile),
            *((n, trial.means[i], trial.values[i][..., positions]) for i, n in enumerate(trials.models)),
        ):
            records[name].append(
                measure(panel, trial.window, trial.actual, trial.scales, means, levels, options.quantiles)
            )
        backtests.append(Backtested(records[ENSEMBLE][-1].start, trial.actual, mean, quantile))
    return {name: tuple(found) for name, found in records.items()}, tuple(backtests)


def _item_losses(trials: Trials, backtests: Sequence[Backtested], options: TrainingOptions) -> dict[str, Floats]:
    """Return each item's loss by the optimised metric, averaged over windows, of the ensemble and the references."""
    positions = [trials.quantiles.index(level) for level in options.quantiles]
    levels, metric = options.quantiles, options.optimise
    found = {
        ENSEMBLE: [
            item_losses(t, b.mean, b.values, levels, metric) for t, b in zip(trials.windows, backtests, strict=True)
        ]
    }
    for name in (name for name in REFERENCES if name in trials.models):
        place = trials.models.index(name)
        found[name] = [
            item_losses(t, t.means[place], t.values[place][..., positions], levels, metric) for t in trials.windows
        ]
    return {name: _mean_of_known(np.stack(each)) for name, each in found.items()}


def _mean_of_known(losses: Floats) -> Floats:
    known = ~np.isnan(losses)
    count = known.sum(axis=0)
    result: Floats = np.where(count > 0, np.where(known, losses, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return result


def _fit_across(
    panel: Panel, names: Sequence[str], options: TrainingOptions, levels: tuple[float, ...], workers: Workers,
    clock: Clock, told: Progress,
) -> dict[str, Arrays]:  # fmt: skip
    """Fit the models across items on the whole histories, and return their arrays."""
    items = tuple(np.flatnonzero(panel.lengths > 0).tolist())
    states: dict[str, Arrays] = {}

    def take(answer: Answer) -> None:
        told.tell(f"fitting {answer.assignment.model.replace('_', ' ')} on everything", fraction=0.9)
        if not answer.error:
            states[answer.assignment.model] = answer.state

    seconds = clock.share(GLOBAL_SHARE)
    workers.run(
        [Assignment(name, items, (), options.horizon, levels, 0, options.seed, seconds, keep=True) for name in names],
        take,
    )
    return states


def _without(weights: Weights, missing: Sequence[str]) -> Weights:
    """Return the weights without some models, shared among the others, and without models that have none."""
    kept = [i for i, name in enumerate(weights.models) if name not in missing]
    kept = [i for i in kept if weights.items[:, i].any() or weights.kinds[:, i].any()] or kept
    parts = []
    for each in (weights.items[:, kept], weights.kinds[:, kept]):
        total = each.sum(axis=1, keepdims=True)
        parts.append(np.where(total > 0, each / np.where(total > 0, total, 1.0), 1.0 / max(1, len(kept))))
    return Weights(tuple(weights.models[i] for i in kept), parts[0], parts[1])


def _impacts(panel: Panel, states: Mapping[str, Arrays]) -> tuple[Impact, ...]:
    """Return what the models across items tell of related series, metadata and holidays."""
    for name, arrays in states.items():
        fitted = MODELS[name].fitted.from_arrays(arrays)
        if isinstance(fitted, Explaining):
            warm = panel.select(np.flatnonzero(panel.lengths > 0))
            contributions = fitted.contributions(warm)
            return measure_impacts(contributions, fitted.forecast(warm, (MEDIAN,)).mean)
    return ()
