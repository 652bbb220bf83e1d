"""Whether the model is better than the baseline, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics import Metric, Values, bootstrap, default_metric, find_metric, interval
from headrace.ml.process.evaluation.measures import constant_predictions, sign
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.training import Training

_SURE_AFTER_SEARCH = 3.3
"""Standard errors that held-out rows must show: they chose the model too, so that 2 come about by chance."""


@dataclass(frozen=True)
class Comparison:
    """Model against baseline by `metric`; `gain` on the test part is positive where the model is better."""

    metric: Metric
    model: float
    baseline: float
    gain: float
    low: float
    high: float
    held_out_gain: float
    held_out_error: float

    @property
    def better(self) -> bool:
        """Whether the test part shows it by its interval, and the held-out rows beyond the luck of the search."""
        return self.low > 0 and self.held_out_gain > _SURE_AFTER_SEARCH * self.held_out_error


def compare_with_baseline(
    framing: ProblemFraming, preparation: Preparation, training: Training, test_predictions: Predictions, *, seed: int
) -> Comparison:
    """Compare by the framing's metric, or the usual one where a constant answer can win (metrics of labels)."""
    metric = find_metric(framing.metric, framing.task)
    if metric.needs_threshold:
        metric = default_metric(framing.task)
    test = preparation.target[preparation.test]
    constant = constant_predictions(training.baseline_held_out, len(test))
    replicates = _gains(metric, test, test_predictions, constant, seed)
    low, high = interval(replicates)
    held_out = preparation.target[training.held_out_rows]
    same = constant_predictions(training.baseline_held_out, len(held_out))
    error = float(np.nanstd(_gains(metric, held_out, training.held_out, same, seed)))
    model, baseline = metric.score(test, test_predictions), metric.score(test, constant)
    return Comparison(
        metric=metric,
        model=model,
        baseline=baseline,
        gain=sign(metric) * (model - baseline),
        low=low,
        high=high,
        held_out_gain=sign(metric) * (metric.score(held_out, training.held_out) - metric.score(held_out, same)),
        held_out_error=error,
    )


def _gains(metric: Metric, target: Target, predictions: Predictions, constant: Predictions, seed: int) -> Values:
    answers = {"model": predictions, "baseline": constant}
    found = bootstrap(
        lambda rows: {name: metric.estimator(target[rows], answer[rows]) for name, answer in answers.items()},
        len(target),
        seed=seed,
    )
    return sign(metric) * (found["model"] - found["baseline"])
