"""Random Cut Forest: how soon random cuts part a row from the others, by Headrace's own forest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from headrace.ml.algorithms.random_cut_forest import Forest
from headrace.ml.errors import HeadraceError
from headrace.server.containers.artifacts import ARRAYS, load_facts, save_facts
from headrace.server.containers.contract import (
    BuiltIn,
    ChannelRule,
    ClientError,
    Metric,
    Reply,
    TrainingRun,
)
from headrace.server.containers.formats import MediaType
from headrace.server.containers.hyperparameters import FORCE_DENSE, Parameter
from headrace.server.containers.inputs import (
    AI_ALGORITHMS_TYPES,
    check_feature_dim,
    class_codes,
    complete,
    dense_blocks,
    read_labelled,
    read_unlabelled,
)
from headrace.server.containers.logs import PROGRESS, SCORE, progress_line, quality_line, quality_metric
from headrace.server.containers.serving import RowPredictor, complete_request
from headrace.server.containers.values import whole, words

ACCURACY, PRECISION_RECALL = "accuracy", "precision_recall_fscore"
REPORTED = {ACCURACY: ("accuracy",), PRECISION_RECALL: ("precision", "recall", "f1")}
DEVIATIONS = 3


class RandomCutForest(BuiltIn):
    """AWS's "Random Cut Forest (RCF) Algorithm"."""

    name = "randomcutforest"
    title = "Random Cut Forest"
    repositories = ("randomcutforest",)
    hyperparameters: ClassVar[Mapping[str, Parameter]] = {
        "feature_dim": Parameter(whole(1, 10_000), "the number of features", required=True),
        "num_samples_per_tree": Parameter(
            whole(1, 2048), "rows a tree keeps", default=256, tunable=("integer", 1, 2048, "Auto")
        ),
        "num_trees": Parameter(
            whole(50, 1000), "the number of trees", default=100, tunable=("integer", 50, 1000, "Auto")
        ),
        "eval_metrics": Parameter(
            words(ACCURACY, PRECISION_RECALL), "metrics of the test channel", default=(ACCURACY, PRECISION_RECALL)
        ),
        "mini_batch_size": Parameter(whole(1), "accepted, no effect: the SageMaker SDK sends it", default=1000),
        "epochs": Parameter(whole(1), "accepted, no effect: a row is sampled once", default=1),
        "force_dense": FORCE_DENSE,
    }
    channels: ClassVar[Mapping[str, ChannelRule]] = {
        "train": ChannelRule(True, AI_ALGORITHMS_TYPES),
        "test": ChannelRule(False, AI_ALGORITHMS_TYPES),
    }
    metrics: ClassVar[Sequence[Metric]] = (
        *(quality_metric("test", name, SCORE) for names in REPORTED.values() for name in names),
        PROGRESS,
    )

    def train(self, run: TrainingRun) -> None:
        """Let each tree sample `train`; `test`, labelled 1 where a row is an anomaly, gives the metrics."""
        given = run.hyperparameters
        rows = read_unlabelled(run, "train", width=given["feature_dim"])
        try:
            forest = Forest(
                given["feature_dim"],
                num_trees=given["num_trees"],
                num_samples_per_tree=given["num_samples_per_tree"],
                time_decay=0,
                output_after=1,
                initial_accept_fraction=1,
                seed=run.seed,
            )
            forest.update(rows)
        except HeadraceError as error:
            raise ClientError(str(error)) from error
        forest.save(run.model / ARRAYS)
        save_facts(run.model, self.name, {})
        run.log(progress_line(1, 1))
        if "test" in run.channels:
            log_test_metrics(run, forest)

    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> ForestPredictor:
        """Return the model that `train` left."""
        del environment
        load_facts(folder, self.name, ARRAYS)
        try:
            return ForestPredictor(Forest.load(folder / ARRAYS))
        except HeadraceError as error:
            raise ClientError(str(error)) from error


def log_test_metrics(run: TrainingRun, forest: Forest) -> None:
    """Take the rows of `test` whose scores lie three deviations above their mean for anomalies; log the metrics."""
    labelled = read_labelled(run, "test", AI_ALGORITHMS_TYPES)
    check_feature_dim(labelled, run.hyperparameters["feature_dim"], "test")
    assert labelled.labels is not None
    truth = class_codes(labelled.labels, 2, "a test channel, where 1 is an anomaly and 0 is none", "test")
    scores = forest.score(complete(labelled.features, "test"))
    found = scores > scores.mean() + DEVIATIONS * scores.std()
    hits = float(np.sum(found & (truth == 1)))
    precision, recall = hits / max(float(found.sum()), 1.0), hits / max(float(truth.sum()), 1.0)
    values = {
        "accuracy": float(np.mean(found == truth)),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if hits else 0.0,
    }
    for metric in run.hyperparameters["eval_metrics"]:
        for name in REPORTED[metric]:
            run.log(quality_line("test", name, values[name], SCORE))


class ForestPredictor(RowPredictor):
    """Answers {"scores": [{"score": 0.02}]}; high scores are unusual."""

    def __init__(self, forest: Forest) -> None:
        """Serve this forest, which lets in one thread at a time."""
        self.forest, self.width = forest, forest.dimensions

    def reply(self, features: Any, accept: MediaType) -> Reply:
        """Return each row's score."""
        del accept
        try:
            blocks: list[npt.NDArray[Any]] = [
                self.forest.score(block) for block in dense_blocks(complete_request(features))
            ]
        except HeadraceError as error:
            raise ClientError(str(error)) from error
        return Reply({"score": np.concatenate(blocks)}, key="scores")
