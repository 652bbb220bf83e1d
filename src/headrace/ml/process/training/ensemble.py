"""The ensemble: greedy selection with replacement on held-out predictions, when it earns its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from headrace.ml.contract import Target
from headrace.ml.metrics import Metric
from headrace.ml.process.training.matrices import sampling_order
from headrace.ml.process.training.trial import FITTED, Trial

MOST_MEMBERS = 4
LIBRARY = 15
STEPS = 20
SCORED_ROWS = 30_000
WORTHWHILE = 0.001
"""The gain over the best single model that an ensemble must bring, as a share of that one's gain over the baseline."""
NEW_MEMBER = 0.0003
"""The same share, for taking in one more member instead of weighing those chosen anew."""
MOST_OPERATIONS = 40_000
"""Tree steps a row that an ensemble may cost: about 20 microseconds of one core in bulk."""


def rank_trials(trials: Sequence[Trial], metric: Metric) -> list[Trial]:
    """The fitted trials, best first."""
    fitted = [
        trial for trial in trials if trial.status == FITTED and trial.score is not None and np.isfinite(trial.score)
    ]
    return sorted(fitted, key=lambda trial: (trial.score or 0.0) * (-1 if metric.greater_is_better else 1))


def admissible(trials: Sequence[Trial], latency_limit_ms: float | None) -> list[Trial]:
    """Keep the trials that predict a row within the charter's limit, or the fastest where none does."""
    if latency_limit_ms is None or not trials:
        return list(trials)
    quick = [trial for trial in trials if microseconds(trial) <= 1000 * latency_limit_ms]
    return quick or [min(trials, key=microseconds)]


def microseconds(trial: Trial) -> float:
    """What one row's prediction was measured to take."""
    return float(trial.results[0]["predict_microseconds"])


def operations(trial: Trial) -> int:
    """What one row's prediction needs, counted."""
    return int(trial.results[0]["operations"])


def select_members(
    trials: Sequence[Trial],
    target: Target,
    metric: Metric,
    baseline_score: float,
    *,
    latency_limit_ms: float | None,
    single: bool,
    classes: int,
    seed: int,
) -> dict[str, float]:
    """Choose members and their weights: name → share; one member where an ensemble does not gain enough.

    Source: Caruana et al., Ensemble selection from libraries of models, 2004.
    """
    library = admissible(rank_trials(trials, metric), latency_limit_ms)
    if not library:
        return {}
    alone = {library[0].name: 1.0}
    if single or len(library) == 1:
        return alone
    library = _varied(library)
    rows = np.sort(sampling_order(target, classes=classes, seed=seed)[:SCORED_ROWS])
    sign = 1.0 if metric.greater_is_better else -1.0
    predictions = [trial.held_out[rows] for trial in library if trial.held_out is not None]
    sampled = target[rows]

    def score(mixture: np.ndarray) -> float:
        return sign * float(metric.score(sampled, mixture, 0.5))

    first = score(predictions[0])
    skill = abs(sign * baseline_score - first)
    counts = np.zeros(len(library), dtype=np.int64)
    chosen, chosen_score = counts.copy(), -np.inf
    total = np.zeros_like(predictions[0])
    for step in range(1, STEPS + 1):
        options = [index for index in range(len(library)) if _affordable(counts, index, library, latency_limit_ms)]
        scores = [score((total + predictions[index]) / step) for index in options]
        handicap = [0.0 if counts[index] or step == 1 else NEW_MEMBER * skill for index in options]
        place = int(np.argmax(np.subtract(scores, handicap)))
        counts[options[place]] += 1
        total += predictions[options[place]]
        if scores[place] > chosen_score + NEW_MEMBER * skill / 3:
            chosen, chosen_score = counts.copy(), scores[place]
    if chosen_score - first < WORTHWHILE * skill:
        return alone
    weights = _without_crumbs(chosen)
    return {library[index].name: float(weight) for index, weight in enumerate(weights) if weight > 0}


def _varied(library: Sequence[Trial]) -> list[Trial]:
    """The best trials overall, and the best of every algorithm."""
    firsts = list({trial.algorithm.name: trial for trial in reversed(library)}.values())
    others = [trial for trial in library if trial not in firsts]
    kept = [*firsts, *others[: max(0, LIBRARY - len(firsts))]]
    return sorted(kept, key=library.index)


def _affordable(counts: np.ndarray, index: int, library: Sequence[Trial], latency_limit_ms: float | None) -> bool:
    """Whether the member fits in beside those chosen: their number, their operations and the charter's latency."""
    members = {*np.flatnonzero(counts).tolist(), index}
    if len(members) == 1:
        return True
    if len(members) > MOST_MEMBERS or sum(operations(library[each]) for each in members) > MOST_OPERATIONS:
        return index in np.flatnonzero(counts)
    return latency_limit_ms is None or sum(microseconds(library[each]) for each in members) <= 1000 * latency_limit_ms


def _without_crumbs(counts: np.ndarray) -> np.ndarray:
    """Turn counts into shares, leaving out members with less than one part in sixteen."""
    shares = counts / counts.sum()
    shares = np.where(shares < 1 / 16, 0.0, shares)
    return np.asarray(shares / shares.sum())


def mix(predictions: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """The weighted mean of the members' predictions."""
    parts = [weight * predictions[name] for name, weight in weights.items()]
    return np.asarray(sum(parts[1:], start=parts[0]), dtype=np.float64)
