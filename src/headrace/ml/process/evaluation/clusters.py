"""Evaluation of clusters: how they hold on rows they were not learnt from, and what they are, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.evaluation.descriptions import describe_group, typical_rows
from headrace.ml.process.feature_engineering.unlabelled import UnlabelledFeatures
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.progress import Progress
from headrace.ml.process.training.clusters import NONE, Clustering
from headrace.ml.process.training.turns import Turns

_MOST_ROWS = 2_000
_REFITS, _FEWEST_REFITS = 10, 3
_REFERENCES, _FEWEST_REFERENCES = 6, 2
_SHARE = 0.3
"""Of the time left, for the refits, and again for the references."""
_POINTS = 600


@dataclass(frozen=True)
class ClusterEvaluation:
    """What the clusters are worth on the test part; all is plain JSON data.

    `metrics`: part → silhouette and stability; `intervals`: metric → [low, high] (95 %, test part). `baseline`: the
    silhouette that as many clusters reach on data of the test part's spread without clusters. `clusters`: [{name, rows,
    share, test_share, silhouette, described, typical: [{row, values}]}]; `picture`: [{x, y, cluster}], the rows along
    their two main directions, which hold `shown` of the variance.
    """

    metrics: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, tuple[float, float]]
    baseline: Mapping[str, Any]
    clusters: tuple[Mapping[str, Any], ...]
    picture: tuple[Mapping[str, Any], ...]
    shown: float
    notes: tuple[str, ...] = ()


def evaluate_clusters(
    preparation: Preparation,
    engineering: UnlabelledFeatures,
    training: Clustering,
    *,
    private: frozenset[str],
    seed: int,
    progress: Progress,
) -> ClusterEvaluation:
    """Measure on the test part once: silhouettes, and the agreement with clusterings learnt from resampled rows.

    There are fewer resamples where the time is short; `notes` says how many. Values of `private` columns appear
    nowhere.
    """
    from headrace.ml.process.training.clusters.evidence import quiet

    random = np.random.default_rng([seed, 8])
    points = engineering.matrix.astype(np.float64) @ training.directions
    learnt = np.concatenate([preparation.train, preparation.validation])
    test = np.sort(random.permutation(preparation.test)[:_MOST_ROWS])
    metrics: dict[str, dict[str, float]] = {"train": {}, "validation": {}, "test": {}}
    intervals: dict[str, tuple[float, float]] = {}
    baseline: dict[str, Any] = {"name": "the same spread without clusters", "metrics": {}}
    each = np.zeros(len(points))
    notes = []
    if len(test) < len(preparation.test):
        notes.append(f"Measured on {len(test):,} random rows of the test part.")
    if training.chosen is not None:
        with quiet():
            each = _measure(metrics, intervals, points, training, preparation, test, random)
            agreed = _stability(points, learnt, test, training, seed, Turns(progress, _SHARE, _FEWEST_REFITS))
            turns = Turns(progress, _SHARE, _FEWEST_REFERENCES)
            silhouette = _reference(engineering.matrix[test], training, engineering, random, turns)
            baseline["metrics"]["silhouette"] = silhouette
        if len(agreed) < _REFITS:
            notes.append(f"Stability was measured by {len(agreed)} of {_REFITS} resamples: the time was up.")
        if turns.taken < _REFERENCES:
            notes.append(f"The baseline was measured {turns.taken} of {_REFERENCES} times: the time was up.")
        metrics["test"]["stability"] = float(agreed.mean())
        intervals["stability"] = (float(np.quantile(agreed, 0.025)), float(np.quantile(agreed, 0.975)))
        baseline["metrics"]["stability"] = 0.0
    drawn = np.sort(random.permutation(learnt)[:_POINTS])
    variances = (points[learnt] - points[learnt].mean(axis=0)).var(axis=0)
    whole = engineering.matrix[learnt].astype(np.float64).var(axis=0).sum()
    return ClusterEvaluation(
        metrics=metrics,
        intervals=intervals,
        baseline=baseline,
        clusters=tuple(_clusters(preparation, training, points, learnt, test, each, private)),
        picture=tuple(
            {"x": float(p[0]), "y": float(p[1]) if len(p) > 1 else 0.0, "cluster": training.names[code]}
            for p, code in zip(points[drawn], training.codes[drawn], strict=True)
        ),
        shown=float(variances[:2].sum() / whole) if whole > 0 else 0.0,
        notes=tuple(notes),
    )


def _none(training: Clustering) -> int | None:
    return len(training.names) - 1 if training.names[-1] == NONE else None


def _measure(
    metrics: dict[str, dict[str, float]],
    intervals: dict[str, tuple[float, float]],
    points: npt.NDArray[np.float64],
    training: Clustering,
    preparation: Preparation,
    test: npt.NDArray[np.int64],
    random: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Measure the silhouettes of each part by itself; returns those of the test rows, by position in the frame."""
    from headrace.ml.process.training.clusters.evidence import row_silhouettes

    each = np.zeros(len(points))
    for part, rows in (("train", preparation.train), ("validation", preparation.validation), ("test", test)):
        rows = rows if part == "test" else np.sort(random.permutation(rows)[:_MOST_ROWS])
        values = row_silhouettes(points[rows], training.codes[rows], _none(training))
        metrics[part]["silhouette"] = float(values.mean())
        if part == "test":
            each[rows] = values
            drawn = values[random.integers(0, len(values), (1000, len(values)))].mean(axis=1)
            intervals["silhouette"] = (float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975)))
    return each


def _stability(
    points: npt.NDArray[np.float64],
    learnt: npt.NDArray[np.int64],
    test: npt.NDArray[np.int64],
    training: Clustering,
    seed: int,
    turns: Turns,
) -> npt.NDArray[np.float64]:
    """Return the agreement on the test rows of the final clusters with those of resampled rows [turns]."""
    from headrace.ml.process.training.clusters.candidates import fit_clusters
    from headrace.ml.process.training.clusters.evidence import agreement

    chosen = training.chosen
    assert chosen is not None
    values = []
    while turns.taken < _REFITS and turns.another():
        turn = turns.taken - 1
        random = np.random.default_rng([seed, 9, turn])
        rows = learnt[random.integers(0, len(learnt), min(len(learnt), _MOST_ROWS))]
        try:
            fitted = fit_clusters(chosen.algorithm, points[rows].astype(np.float32), turn, chosen.hyperparameters)
            codes = fitted.predict(points[test].astype(np.float32)).argmax(axis=1)
        except ValueError:
            codes = np.zeros(len(test), np.int64)
        values.append(agreement(training.codes[test], codes))
    return np.array(values)


def _reference(
    matrix: npt.NDArray[np.float32],
    training: Clustering,
    engineering: UnlabelledFeatures,
    random: np.random.Generator,
    turns: Turns,
) -> float:
    """Return the silhouette that as many k-means clusters reach on the test part's spread without clusters."""
    from headrace.ml.process.training.clusters.candidates import fit_clusters
    from headrace.ml.process.training.clusters.evidence import groups_of, row_silhouettes, without_clusters

    assert training.chosen is not None
    wide = matrix.astype(np.float64)
    groups = groups_of(engineering.plan.names(engineering.view), wide)
    values = []
    while turns.taken < _REFERENCES and turns.another():
        turn = turns.taken - 1
        drawn = without_clusters(wide, groups, ("normal", "uniform")[turn % 2], random) @ training.directions
        count = min(training.chosen.clusters, len(drawn) - 1)
        fitted = fit_clusters("k_means", drawn.astype(np.float32), turn, {"clusters": count})
        values.append(row_silhouettes(drawn, fitted.predict(drawn.astype(np.float32)).argmax(axis=1)).mean())
    return float(max(np.mean(values[::2]), np.mean(values[1::2])))


def _clusters(
    preparation: Preparation,
    training: Clustering,
    points: npt.NDArray[np.float64],
    learnt: npt.NDArray[np.int64],
    test: npt.NDArray[np.int64],
    each: npt.NDArray[np.float64],
    private: frozenset[str],
) -> list[dict[str, Any]]:
    frame = preparation.frame[learnt.tolist()]
    codes, tested = training.codes[learnt], training.codes[test]
    described = []
    for code, name in enumerate(training.names):
        inside = codes == code
        rows = learnt[inside]
        described.append(
            {
                "name": name,
                "rows": int(inside.sum()),
                "share": float(inside.mean()),
                "test_share": float((tested == code).mean()) if len(tested) else None,
                "silhouette": float(each[test][tested == code].mean()) if (tested == code).any() else None,
                "described": describe_group(frame, pl.Series(inside), preparation.columns, private),
                "typical": typical_rows(preparation, points, rows, private),
            }
        )
    return described
