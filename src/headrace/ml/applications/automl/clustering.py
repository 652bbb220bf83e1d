"""Steps 2 to 9 of clustering: which rows belong together, or that none do."""

from __future__ import annotations

from typing import Any

import polars as pl

from headrace.ml.applications.automl.unlabelled import begin, build, finish, note_metrics
from headrace.ml.applications.automl.walk import Outcome, Walk
from headrace.ml.contract import Task


def walk(given: Walk) -> Outcome:
    """Take the steps in order; each gets the results of those before it."""
    from headrace.ml.process.business_goals.clusters import judge_clusters
    from headrace.ml.process.evaluation.clusters import evaluate_clusters
    from headrace.ml.process.training.clusters import find_clusters

    options, watch = given.options, given.watch
    steps: dict[str, Any] = begin(given, Task.CLUSTERING, options.time)
    preparation, engineering = steps["preparation"], steps["feature_engineering"]
    with watch.step("training", "looking for clusters"):
        steps["training"] = training = find_clusters(
            preparation, engineering, seed=options.seed, progress=given.progress
        )
    with watch.step("evaluation", "compiling the model"):
        built = build(given, steps, training.members, training.memberships, classes=training.names)
        given.progress.tell("measuring on the untouched test part")
        steps["evaluation"] = evaluation = evaluate_clusters(
            preparation, engineering, training, private=frozenset(steps["datasets"].personal), seed=options.seed,
            progress=given.progress,
        )  # fmt: skip
    with watch.step("business_goals", "weighing the clusters against the goal"):
        steps["business_goals"] = judge_clusters(
            steps["business_problem"], training, evaluation, tested=len(preparation.test),
            predict_microseconds=built.facts["predict_microseconds"],
        )  # fmt: skip
    note_metrics(built, evaluation.metrics)
    rows = pl.Series("row", preparation.source_rows, dtype=pl.Int64)
    predictions = built.model.predict_columns(preparation.frame, proba=True).insert_column(0, rows)
    return steps, finish(given, steps, built.facts, predictions.sort("row"))
