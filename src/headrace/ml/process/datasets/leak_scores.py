"""What columns that may leak the target are worth: the score with and without each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.metrics import Metric
from headrace.ml.process.datasets.association import Relevance, category_codes, lump_rare

SET_ASIDE, LEARNT_FROM = "set aside", "learnt from"
MOST_MEASURED = 6
_ROWS, _COLUMNS, _FOLDS, _ROUNDS, _LEVELS = 3_000, 100, 3, 40, 200
_TREES, _FEWEST_ROUNDS = 90, 10
"""With more than two classes a round grows a tree for each, and there are fewer rounds."""
_IMPORT, _SECONDS_A_COLUMN = 0.2, 2e-5
"""Seconds of an idle core: for the library, and for a tree by the columns it chooses from."""
_FEWEST_ROWS = 60
_NOTABLE, _DECISIVE, _DOMINANT = 0.3, 0.25, 0.6
_FEWEST_COLUMNS = 4
_AFTER = frozenset(
    [
        "duration",
        "outcome",
        "result",
        "results",
        "resolved",
        "resolution",
        "closed",
        "closing",
        "cancelled",
        "canceled",
        "cancellation",
        "terminated",
        "termination",
        "refund",
        "refunded",
        "recovered",
        "recoveries",
        "recovery",
        "settled",
        "settlement",
        "collected",
        "chargeoff",
        "final",
        "reason",
        "disposition",
        "verdict",
    ]
)

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Leak:
    """A column that leaks the target or may: what was done with it, why, and what it is worth.

    `action` is "set aside" or "learnt from". `score` and `score_without` are the cross-validated `metric` of a quick
    model with the column and without it, on rows outside the test part; None where that was not measured. `condition`
    tells whether the decision depends on it.
    """

    column: str
    action: str
    evidence: str
    metric: str = ""
    score: float | None = None
    score_without: float | None = None
    condition: bool = False


def weigh_leaks(
    frame: pl.DataFrame,
    target: npt.NDArray[Any],
    metric: Metric,
    task: Task,
    relevance: Mapping[str, Relevance],
    excluded: Mapping[str, str],
    suspicious: Mapping[str, str],
    *,
    kept: Sequence[str] = (),
    measured: bool = True,
) -> tuple[Leak, ...]:
    """Score a quick model with and without the columns that leak or may; `frame` holds all typed columns.

    Beside those of `suspicious` and the leaks of `excluded`, the most telling columns are tried: one that carries most
    of the skill is listed, and is a condition where its name says that it may be known only after the event. Without
    `measured` nothing is scored: of these, those that are telling and named so are listed.
    """
    told = {name: reason for name, reason in excluded.items() if "leak" in reason}
    learnt = sorted((n for n in frame.columns if n not in excluded), key=lambda n: -relevance[n].value)[:_COLUMNS]
    learnt += [name for name in suspicious if name not in learnt]
    telling = [name for name in learnt[:3] if relevance[name].value >= _NOTABLE]
    telling += [name for name in learnt if named_after_event(name) and name not in telling]
    others = [name for name in telling if name not in suspicious] if len(learnt) >= _FEWEST_COLUMNS else []
    tried = [*told, *suspicious, *others][:MOST_MEASURED]
    scores = _scores(frame, target, metric, task, learnt, tried, set(told)) if tried and measured else {}
    found = [_leak(name, SET_ASIDE, told[name], metric, scores.get(name)) for name in told]
    found += [
        _leak(name, LEARNT_FROM, evidence, metric, scores.get(name), condition=name not in kept)
        for name, evidence in suspicious.items()
    ]
    for name in others:
        if not measured and named_after_event(name) and relevance[name].value >= _NOTABLE:
            evidence = "by its name may be known only after the event; there was no time to measure what it is worth"
            found.append(_leak(name, LEARNT_FROM, evidence, metric, None, condition=name not in kept))
        if (pair := scores.get(name)) and (share := _share_of_skill(metric, target, task, *pair)) >= _DECISIVE:
            after = named_after_event(name)
            if after or share >= _DOMINANT:
                evidence = f"it carries {share:.0%} of what the model knows"
                evidence += ", and by its name may be known only after the event" if after else ""
                found.append(_leak(name, LEARNT_FROM, evidence, metric, pair, condition=after and name not in kept))
    return tuple(found)


def seconds_to_weigh(columns: int, classes: int) -> float:
    """Return what `weigh_leaks` takes at most, in seconds of an idle core, for so many columns and classes."""
    trees = _FOLDS * (1 + MOST_MEASURED) * _rounds(classes) * (classes if classes > 2 else 1)
    return _IMPORT + _SECONDS_A_COLUMN * trees * min(columns, _COLUMNS)


def named_after_event(name: str) -> bool:
    """Whether a column's name is that of something which is known when all is over.

    >>> [named_after_event(name) for name in ("duration", "ChurnReason", "poutcome", "MonthlyCharges")]
    [True, True, False, False]
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return any(word.casefold() in _AFTER for word in words)


def _leak(
    name: str, action: str, evidence: str, metric: Metric, pair: tuple[float, float] | None, *, condition: bool = False
) -> Leak:
    score, without = pair or (None, None)
    return Leak(name, action, evidence.removeprefix("leak: "), metric.name, score, without, condition)


def _scores(
    frame: pl.DataFrame,
    target: npt.NDArray[Any],
    metric: Metric,
    task: Task,
    learnt: Sequence[str],
    tried: Sequence[str],
    aside: set[str],
) -> dict[str, tuple[float, float]]:
    """Return column → (score with, score without); a column set aside is added, another is taken away."""
    rows = np.random.default_rng(0).permutation(len(target))[:_ROWS]
    if len(rows) < _FEWEST_ROWS:
        return {}
    names = [*dict.fromkeys([*learnt, *tried])]
    matrix = np.column_stack([_numbers(frame[name][rows]) for name in names])
    place = {name: number for number, name in enumerate(names)}
    base = [place[name] for name in learnt if name not in aside]
    judge = _Judge(matrix, target[rows], metric, task)
    if (usual := judge.score(base)) is None:
        return {}
    found = {}
    for name in tried:
        other = judge.score([*base, place[name]] if name in aside else [k for k in base if k != place[name]])
        if other is not None:
            found[name] = (other, usual) if name in aside else (usual, other)
    return found


def _rounds(classes: int) -> int:
    return max(_FEWEST_ROUNDS, _TREES // classes) if classes > 2 else _ROUNDS


def _numbers(values: pl.Series) -> Values:
    if values.dtype == pl.String:
        return lump_rare(category_codes(values), _LEVELS).astype(np.float64)
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()


@dataclass(frozen=True)
class _Judge:
    """Cross-validates small boosted trees on some of the columns; always on the same folds."""

    matrix: Values
    target: npt.NDArray[Any]
    metric: Metric
    task: Task

    def score(self, columns: Sequence[int]) -> float | None:
        """Return the metric over all folds; None where it has no value or there is no column."""
        if not columns:
            return None
        lightgbm = import_library("lightgbm")
        classes = int(self.target.max()) + 1 if self.task in CLASSIFICATION else 0
        objective = "regression" if not classes else "binary" if classes == 2 else "multiclass"
        settings = {
            "objective": objective, "num_leaves": 15, "learning_rate": 0.15, "max_bin": 63, "num_threads": 1,
            "deterministic": True, "force_col_wise": True, "seed": 0, "verbose": -1,
            **({"num_class": classes} if classes > 2 else {}),
        }  # fmt: skip
        part, matrix = np.arange(len(self.target)) % _FOLDS, self.matrix[:, list(columns)]
        predicted = np.zeros((len(part), classes) if classes else len(part))
        for fold in range(_FOLDS):
            fit, held = np.flatnonzero(part != fold), np.flatnonzero(part == fold)
            data = lightgbm.Dataset(matrix[fit], self.target[fit], params=settings)
            answer = lightgbm.train(settings, data, _rounds(classes)).predict(matrix[held], num_threads=1)
            predicted[held] = np.column_stack([1 - answer, answer]) if classes == 2 else answer
        value = self.metric.score(self.target, predicted)
        return value if np.isfinite(value) else None


def _share_of_skill(metric: Metric, target: npt.NDArray[Any], task: Task, score: float, without: float) -> float:
    """Return which part of the gain over a constant answer goes with the column."""
    shares = np.bincount(target.astype(np.int64)) / len(target) if task in CLASSIFICATION else None
    constant = np.tile(shares, (len(target), 1)) if shares is not None else np.full(len(target), float(target.mean()))
    skill = abs(score - metric.score(target, constant))
    lost = (score - without) if metric.greater_is_better else (without - score)
    return lost / skill if skill > 0 else 0.0
