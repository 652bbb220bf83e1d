"""Evaluation of an anomaly detector: on planted anomalies, by its alerts, by a label where there is one, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.datasets import Dataset
from headrace.ml.process.feature_engineering.unlabelled import UnlabelledFeatures
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.progress import Progress
from headrace.ml.process.training.anomalies import AnomalyDetection
from headrace.ml.process.training.turns import Turns

if TYPE_CHECKING:
    from headrace.ml.prediction.model import Model

_TOP = 20
_EXPLAINED = 10
_SHARE = 0.5
"""Of the time left, for the reasons of the strangest rows."""
_REASONS = 4
_SAMPLES = 8
_REPLICATES = 500
_MOST_TESTED = 2_000
_BINS = 40


@dataclass(frozen=True)
class AnomalyEvaluation:
    """What the detector is worth on the test part; all but `scores` is plain JSON data.

    `metrics`: part → planted_auc and stability, and with a label label_auc, label_precision and label_recall;
    `intervals`: metric → [low, high] (95 %, bootstrap, test part); `baseline`: the same of the largest robust z-score.
    `flagged`: part → share of rows called anomalies, and `low`, `high` of the test part's. `top`: the strangest rows,
    [{row, part, score, time, contributions: [{column, value, contribution}]}]. `series`: [{time, value, score,
    is_anomaly}] where there is a time. `scores` [rows of the frame]: held-out ones, and the final detector's on test.
    """

    metrics: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, tuple[float, float]]
    baseline: Mapping[str, Any]
    flagged: Mapping[str, float]
    top: tuple[Mapping[str, Any], ...]
    histogram: tuple[Mapping[str, Any], ...]
    series: tuple[Mapping[str, Any], ...]
    scores: npt.NDArray[np.float64]
    notes: tuple[str, ...] = ()


def evaluate_anomalies(
    dataset: Dataset,
    preparation: Preparation,
    engineering: UnlabelledFeatures,
    training: AnomalyDetection,
    model: Model,
    *,
    label: npt.NDArray[np.bool_] | None,
    time: str | None,
    seed: int,
    progress: Progress,
) -> AnomalyEvaluation:
    """Measure on the test part once. `label` [rows of the frame] is only measured by, and was not learnt from."""
    from headrace.ml.process.training.anomalies.detectors import robust_z
    from headrace.ml.process.training.anomalies.planting import area, plant, rank_correlation

    random = np.random.default_rng([seed, 8])
    learnt = np.concatenate([preparation.train, preparation.validation])
    test, matrix = preparation.test, engineering.matrix
    scores = np.empty(len(matrix))
    scores[learnt] = training.held_out
    scores[test] = model.predict_frame(preparation.frame[test.tolist()])
    metrics: dict[str, dict[str, float]] = {"train": {}, "validation": {}, "test": {}}
    intervals: dict[str, tuple[float, float]] = {}
    baseline: dict[str, Any] = {"name": "largest robust z-score", "metrics": {}}

    tested = test[random.permutation(len(test))[:_MOST_TESTED]]
    strange = plant(matrix[tested], matrix[learnt], random)
    usual, planted = scores[tested], training.detector.score(strange)
    metrics["validation"]["planted_auc"] = training.chosen.planted_auc
    metrics["test"]["planted_auc"] = area(usual, planted)
    intervals["planted_auc"] = _interval(lambda a, b: area(usual[a], planted[b]), len(usual), len(planted), random)
    baseline["metrics"]["planted_auc"] = area(robust_z(matrix[tested]), robust_z(strange))
    agreed = _again(training, engineering, learnt, tested, seed)
    metrics["test"]["stability"] = rank_correlation(usual, agreed)
    intervals["stability"] = _interval(lambda a, _: rank_correlation(usual[a], agreed[a]), len(usual), 1, random)
    alerts = scores >= training.threshold
    flagged = {
        name: float(alerts[rows].mean())
        for name, rows in (("train", preparation.train), ("validation", preparation.validation), ("test", test))
    }
    flagged["low"], flagged["high"] = _share_interval(int(alerts[test].sum()), len(test))
    if label is not None:
        _measure_label(metrics, intervals, baseline, label, scores, alerts, robust_z(matrix), preparation, random)
    part = np.full(len(scores), "train", object)
    part[preparation.validation], part[test] = "validation", "test"
    moments = _moments(dataset, time)
    turns = Turns(progress, _SHARE)
    top = _top(model, preparation, scores, part, moments, seed, turns)
    notes = ["The strangest training and validation rows were scored by a detector that did not see them."]
    if turns.taken < min(_EXPLAINED, len(top)):
        notes.append(f"Reasons are given for the {turns.taken} strangest rows: the time was up.")
    return AnomalyEvaluation(
        metrics=metrics,
        intervals=intervals,
        baseline=baseline,
        flagged=flagged,
        top=tuple(top),
        histogram=_histogram(scores),
        series=_series(preparation, scores, alerts, moments) if time is not None else (),
        scores=scores,
        notes=tuple(notes),
    )


def _again(
    training: AnomalyDetection,
    engineering: UnlabelledFeatures,
    learnt: npt.NDArray[np.int64],
    tested: npt.NDArray[np.int64],
    seed: int,
) -> npt.NDArray[np.float64]:
    """Score the test rows by a detector learnt from resampled rows with another seed."""
    from headrace.ml.process.training.anomalies.detectors import fit_detector
    from headrace.ml.process.training.clusters.evidence import quiet

    random = np.random.default_rng([seed, 9])
    rows = learnt[random.integers(0, len(learnt), min(len(learnt), 5_000))]
    with quiet():
        fitted = fit_detector(training.chosen.algorithm, engineering.matrix[rows], seed + 1)
    return fitted.score(engineering.matrix[tested])


def _interval(measure: Any, rows: int, others: int, random: np.random.Generator) -> tuple[float, float]:
    drawn = [
        measure(random.integers(0, rows, rows), random.integers(0, others, others)) for _ in range(_REPLICATES // 5)
    ]
    return float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))


def _share_interval(count: int, rows: int) -> tuple[float, float]:
    """Return Wilson's interval (1927) of a share."""
    z, share = 1.96, count / max(rows, 1)
    middle, spread = share + z * z / (2 * rows), z * float(np.sqrt(share * (1 - share) / rows + z * z / (4 * rows**2)))
    return max(0.0, (middle - spread) / (1 + z * z / rows)), min(1.0, (middle + spread) / (1 + z * z / rows))


def _measure_label(
    metrics: dict[str, dict[str, float]],
    intervals: dict[str, tuple[float, float]],
    baseline: dict[str, Any],
    label: npt.NDArray[np.bool_],
    scores: npt.NDArray[np.float64],
    alerts: npt.NDArray[np.bool_],
    simple: npt.NDArray[np.float64],
    preparation: Preparation,
    random: np.random.Generator,
) -> None:
    """Measure by the label on each part; the baseline calls as many test rows anomalies as the detector does."""
    from headrace.ml.process.training.anomalies.planting import area

    def measure(rows: npt.NDArray[np.int64], by: Any, called: Any) -> dict[str, float]:
        truth = label[rows]
        hits = float((truth & called[rows]).sum())
        return {
            "label_auc": area(by[rows][~truth], by[rows][truth]) if 0 < truth.sum() < len(truth) else float("nan"),
            "label_precision": hits / called[rows].sum() if called[rows].any() else float("nan"),
            "label_recall": hits / truth.sum() if truth.any() else float("nan"),
        }

    for name in ("train", "validation", "test"):
        rows = getattr(preparation, name)
        found = measure(rows, scores, alerts)
        metrics[name] |= {key: value for key, value in found.items() if np.isfinite(value)}
    test = preparation.test
    drawn = [measure(test[random.integers(0, len(test), len(test))], scores, alerts) for _ in range(_REPLICATES // 2)]
    for key in ("label_auc", "label_precision", "label_recall"):
        values = np.array([one[key] for one in drawn])
        if key in metrics["test"] and np.isfinite(values).any():
            intervals[key] = (float(np.nanquantile(values, 0.025)), float(np.nanquantile(values, 0.975)))
    count = int(alerts[test].sum())
    bound = np.sort(simple[test])[-count] if count else np.inf
    plain = measure(test, simple, simple >= bound)
    baseline["metrics"] |= {key: value for key, value in plain.items() if np.isfinite(value)}


def _moments(dataset: Dataset, time: str | None) -> pl.Series | None:
    if time is None or time not in dataset.aside.columns:
        return None
    values = dataset.aside[time]
    kinds = {column.name: str(column.kind) for column in dataset.aside_columns}
    if kinds[time] != "date":
        return values
    return (values * 1e6).cast(pl.Int64).cast(pl.Datetime("us")).dt.to_string("%Y-%m-%dT%H:%M:%S")


def _top(
    model: Model,
    preparation: Preparation,
    scores: npt.NDArray[np.float64],
    part: npt.NDArray[Any],
    moments: pl.Series | None,
    seed: int,
    turns: Turns,
) -> list[dict[str, Any]]:
    from headrace.ml.prediction.explanation import explain_rows

    order = np.argsort(-scores, kind="stable")[:_TOP].tolist()
    samples = _SAMPLES if preparation.frame.width <= 20 else 2
    explained: list[dict[str, Any]] = []
    for row in order[:_EXPLAINED]:
        if not turns.another():
            break
        explained += explain_rows(model, preparation.frame, [row], seed=seed, samples=samples)
    found = []
    for place, row in enumerate(order):
        reasons = explained[place]["contributions"] if place < len(explained) else ()
        found.append(
            {
                "row": int(preparation.source_rows[row]),
                "part": str(part[row]),
                "score": float(scores[row]),
                "time": None if moments is None else moments[row],
                "contributions": [one for one in reasons[:_REASONS] if one["contribution"] > 0],
            }
        )
    return found


def _histogram(scores: npt.NDArray[np.float64]) -> tuple[Mapping[str, Any], ...]:
    counts, edges = np.histogram(scores, _BINS)
    return tuple(
        {"start": float(a), "end": float(b), "count": int(n)}
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
    )


def _series(
    preparation: Preparation,
    scores: npt.NDArray[np.float64],
    alerts: npt.NDArray[np.bool_],
    moments: pl.Series | None,
) -> tuple[Mapping[str, Any], ...]:
    """Return the first number over time: at most about 1,500 points, and every anomaly."""
    numbers = [name for name, kind in preparation.frame.schema.items() if kind.is_numeric()]
    if moments is None or not numbers:
        return ()
    values, step = preparation.frame[numbers[0]], max(1, len(scores) // 1_200)
    shown = [i for i in range(len(scores)) if i % step == 0 or (alerts[i] and i % max(1, step // 8) == 0)]
    return tuple(
        {"time": moments[i], "value": values[i], "score": float(scores[i]), "is_anomaly": bool(alerts[i])}
        for i in shown
    )
