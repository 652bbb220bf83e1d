"""The ensemble: greedy selection with replacement on held-out predictions, when it earns its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headrace.ml.contract import Target
from headrace.ml.metrics import Metric
from headrace.ml.process.training.fitting import CALL_MICROSECONDS, OPERATIONS_A_MICROSECOND
from headrace.ml.process.training.matrices import sampling_order
from headrace.ml.process.training.trial import FITTED, Trial

MOST_MEMBERS = 8
LIBRARY = 20
STEPS = 30
SCORED_ROWS = 20_000
WORTHWHILE = 0.0005
"""The gain over the best single model that an ensemble must bring, as a share of that one's gain over the baseline."""
NEW_MEMBER = 0.0001
"""The same share, for taking in one more member instead of weighing those chosen anew."""
LATENCY_LIMIT_MS = 0.25
"""What a row may take where the charter sets no limit."""
OTHERS_MICROSECONDS, A_COLUMN, MOST_OTHERS = 20.0, 1.5, 120.0
"""Of that, what reading a row and making its features are reckoned to take."""
MOST_BYTES = 18e6
"""The members' size on disk."""
SMALLEST_SHARE = 1 / 25


@dataclass(frozen=True)
class Selection:
    """The members' weights by name, and what each number of members would reach: [{members, score, microseconds}]."""

    weights: Mapping[str, float]
    path: tuple[Mapping[str, Any], ...] = ()


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


def estimated_microseconds(trial: Trial) -> float:
    """What one row's prediction takes, by the operations counted: the same whenever and wherever it is asked."""
    return CALL_MICROSECONDS + float(trial.results[0]["operations"]) / OPERATIONS_A_MICROSECOND


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
    columns: int = 0,
    seconds: float = float("inf"),
) -> Selection:
    """Choose members and their weights; one member where an ensemble does not gain enough.

    `columns` raw columns are read for a row; `seconds` of one core may be spent to fit members as the folds' were.
    Source: Caruana et al., Ensemble selection from libraries of models, 2004.
    """
    library = admissible(rank_trials(trials, metric), latency_limit_ms)
    if not library:
        return Selection({})
    if single or len(library) == 1:
        return Selection({library[0].name: 1.0})
    library = _varied(library)
    rows = np.sort(sampling_order(target, classes=classes, seed=seed)[:SCORED_ROWS])
    sign = 1.0 if metric.greater_is_better else -1.0
    predictions = [trial.held_out[rows] for trial in library if trial.held_out is not None]
    sampled = target[rows]

    def score(mixture: np.ndarray) -> float:
        return sign * float(metric.score(sampled, mixture, 0.5))

    limit = 1000 * LATENCY_LIMIT_MS - min(MOST_OTHERS, OTHERS_MICROSECONDS + A_COLUMN * columns)

    def affordable(members: Sequence[Trial]) -> bool:
        return len(members) == 1 or _affordable(members, latency_limit_ms, limit, seconds)

    first = score(predictions[0])
    skill = abs(sign * baseline_score - first)
    best: dict[int, tuple[float, np.ndarray]] = {1: (first, np.eye(1, len(library), dtype=np.int64)[0])}
    counts = np.zeros(len(library), dtype=np.int64)
    total = np.zeros_like(predictions[0])
    for step in range(1, STEPS + 1):
        options = [
            index
            for index in range(len(library))
            if counts[index] or affordable([library[place] for place in (*np.flatnonzero(counts), index)])
        ]
        scores = [score((total + predictions[index]) / step) for index in options]
        handicap = [0.0 if counts[index] or step == 1 else NEW_MEMBER * skill for index in options]
        place = int(np.argmax(np.subtract(scores, handicap)))
        counts[options[place]] += 1
        total += predictions[options[place]]
        size = int(np.count_nonzero(counts))
        if scores[place] > best.get(size, (-np.inf,))[0]:
            best[size] = (scores[place], counts.copy())
    chosen = _worth_their_cost(best, skill)
    weights = _without_crumbs(best[chosen][1])
    names = {library[index].name: float(weight) for index, weight in enumerate(weights) if weight > 0}
    steps = [_step(sign, library, *best[size]) for size in (*sorted(set(best) - {chosen}), chosen)]
    path = {step["members"]: step for step in steps}
    return Selection(names, tuple(path[members] for members in sorted(path)))


def _worth_their_cost(best: Mapping[int, tuple[float, np.ndarray]], skill: float) -> int:
    """The number of members whose score, less what each member must bring, is highest; 1 where that gains little."""
    chosen = max(best, key=lambda size: (best[size][0] - NEW_MEMBER * skill * size, -size))
    return chosen if best[chosen][0] - best[1][0] >= WORTHWHILE * skill else 1


def _step(sign: float, library: Sequence[Trial], score: float, counts: np.ndarray) -> dict[str, Any]:
    members = np.flatnonzero(_without_crumbs(counts)).tolist()
    took = sum(estimated_microseconds(library[index]) for index in members)
    return {"members": len(members), "score": sign * score, "microseconds": took}


def _varied(library: Sequence[Trial]) -> list[Trial]:
    """The best trials overall, and the best of every algorithm."""
    firsts = list({trial.algorithm.name: trial for trial in reversed(library)}.values())
    others = [trial for trial in library if trial not in firsts]
    kept = [*firsts, *others[: max(0, LIBRARY - len(firsts))]]
    return sorted(kept, key=library.index)


def _affordable(chosen: Sequence[Trial], latency_limit_ms: float | None, limit: float, seconds: float) -> bool:
    """Whether these are few, small and quick enough to be members together; `limit` in microseconds by estimate."""
    if len(chosen) > MOST_MEMBERS or sum(float(each.results[0]["bytes"]) for each in chosen) > MOST_BYTES:
        return False
    if sum(each.mean_seconds() for each in chosen) > seconds:
        return False
    if latency_limit_ms is not None:
        return sum(map(microseconds, chosen)) <= 1000 * latency_limit_ms
    return sum(map(estimated_microseconds, chosen)) <= limit


def _without_crumbs(counts: np.ndarray) -> np.ndarray:
    """Turn counts into shares, leaving out members with hardly any."""
    shares = counts / counts.sum()
    shares = np.where(shares < SMALLEST_SHARE, 0.0, shares)
    return np.asarray(shares / shares.sum())


def mix(predictions: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """The weighted mean of the members' predictions."""
    parts = [weight * predictions[name] for name, weight in weights.items()]
    return np.asarray(sum(parts[1:], start=parts[0]), dtype=np.float64)
