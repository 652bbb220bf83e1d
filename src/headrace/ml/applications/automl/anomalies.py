"""Steps 2 to 9 of anomaly detection: which rows, or moments of a series, are strange."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.applications.automl.unlabelled import begin, build, finish, note_metrics
from headrace.ml.applications.automl.walk import Outcome, Walk
from headrace.ml.contract import Task
from headrace.ml.errors import TargetError


def walk(given: Walk) -> Outcome:
    """Take the steps in order; each gets the results of those before it."""
    from headrace.ml.process.business_goals.anomalies import judge_anomalies
    from headrace.ml.process.datasets.windows import find_time, window_of
    from headrace.ml.process.evaluation.anomalies import evaluate_anomalies
    from headrace.ml.process.training.anomalies import find_anomalies

    options, watch = given.options, given.watch
    time = find_time(given.table, options.time, options.target)
    steps: dict[str, Any] = begin(given, Task.ANOMALY_DETECTION, time)
    dataset, preparation, engineering = steps["datasets"], steps["preparation"], steps["feature_engineering"]
    window = window_of(dataset)
    label = _label(given, dataset.rows) if options.target is not None else None
    with watch.step("training", "learning what is usual"):
        steps["training"] = training = find_anomalies(
            preparation, engineering, contamination=options.contamination, window=window, seed=options.seed,
            progress=given.progress,
        )  # fmt: skip
    with watch.step("evaluation", "compiling the model"):
        built = build(given, steps, training.members, training.held_out, threshold=training.threshold, window=window)
        given.progress.tell("measuring on the untouched test part")
        steps["evaluation"] = evaluation = evaluate_anomalies(
            dataset, preparation, engineering, training, built.model, label=label, time=time, seed=options.seed,
            progress=given.progress,
        )  # fmt: skip
    with watch.step("business_goals", "weighing the detector against the goal"):
        steps["business_goals"] = judge_anomalies(
            steps["business_problem"], training, evaluation, tested=len(preparation.test),
            predict_microseconds=built.facts["predict_microseconds"],
        )  # fmt: skip
    note_metrics(built, evaluation.metrics)
    predictions = pl.DataFrame(
        {
            "row": pl.Series(preparation.source_rows, dtype=pl.Int64),
            "score": evaluation.scores,
            "is_anomaly": evaluation.scores >= training.threshold,
        }
    )
    return steps, finish(given, steps, built.facts, predictions.sort("row"))


def _label(given: Walk, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Read the label of the rows (source positions): True for the rarer of its two values, or the charter's class."""
    from headrace.ml.process.problem_framing import label_texts

    target = str(given.options.target)
    texts = label_texts(given.table.frame[target])
    counts = texts.filter(texts != "").value_counts().sort("count", target)
    if counts.height != 2 or (texts == "").any():
        raise TargetError(
            f"column '{target}' has {counts.height} different values and {int((texts == '').sum())} rows without one; "
            "anomalies are measured by a column of two, such as 0 and 1"
        )
    names = counts[target].to_list()
    positive = given.business.charter.positive_class or names[0]
    if positive not in names:
        raise TargetError(f"column '{target}' has no value '{positive}', which the charter names as positive_class")
    kept = np.isin(given.table.rows, rows)
    by_row = dict(zip(given.table.rows[kept].tolist(), (texts == positive).to_numpy()[kept].tolist(), strict=True))
    return np.array([by_row[row] for row in rows.tolist()])
