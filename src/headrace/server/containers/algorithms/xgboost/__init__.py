"""XGBoost as AWS's container offers it: the library's parameters, its metrics in the log, its JSON model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from headrace.server.containers.algorithms.xgboost.answers import quoted, selected_columns
from headrace.server.containers.algorithms.xgboost.hyperparameters import METRICS, PARAMETERS
from headrace.server.containers.algorithms.xgboost.serving import Booster, load_boosters
from headrace.server.containers.algorithms.xgboost.training import train
from headrace.server.containers.contract import (
    BuiltIn,
    ChannelRule,
    ClientError,
    Floats,
    Metric,
    Predictor,
    Reply,
    TrainingRun,
)
from headrace.server.containers.formats import MediaType
from headrace.server.containers.hyperparameters import Parameter
from headrace.server.containers.inputs import dense_blocks, read_labelled
from headrace.server.containers.serving import RowPredictor

CONTENT_TYPES = ("text/libsvm", "text/csv", "application/x-parquet", "application/x-recordio-protobuf")
REPLY_TYPES = ("text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf")
VOTED = ("multi:softmax", "binary:hinge")
CONSTRAINED = {"monotone_constraints": ("exact", "hist"), "interaction_constraints": ("exact", "hist", "approx")}


class XGBoost(BuiltIn):
    """AWS's "XGBoost Algorithm", container lines 1.7-1 and 3.0-5."""

    name = "xgboost"
    title = "XGBoost"
    repositories = ("xgboost", "sagemaker-xgboost")
    hyperparameters: ClassVar[Mapping[str, Parameter]] = PARAMETERS
    channels: ClassVar[Mapping[str, ChannelRule]] = {
        "train": ChannelRule(True, CONTENT_TYPES),
        "validation": ChannelRule(False, CONTENT_TYPES),
        "code": ChannelRule(False, ("text/python", "application/x-code")),
    }
    metrics: ClassVar[Sequence[Metric]] = METRICS

    def check(self, hyperparameters: Mapping[str, Any], channels: Sequence[str]) -> None:
        """Raise ClientError where objective, metrics, classes and constraints do not go together."""
        given = {name: value for name, value in hyperparameters.items() if value is not None}
        objective = given.get("objective", "reg:squarederror")
        if objective.startswith("multi:") and "num_class" not in given:
            raise ClientError("Require input for parameter 'num_class' for multi-classification")
        metrics = given.get("eval_metric", ())
        if "auc" in metrics and not objective.startswith(("binary:", "rank:", "multi:", "reg:logistic")):
            raise ClientError("Metric 'auc' can only be applied for classification and ranking problems.")
        if "aft-nloglik" in metrics and objective != "survival:aft":
            raise ClientError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")
        for name, methods in CONSTRAINED.items():
            if name in given and given.get("tree_method") not in methods:
                allowed = " or ".join(f"'{method}'" for method in methods)
                raise ClientError(f"{name} can be used only when the tree_method parameter is set to {allowed}.")
        del channels

    def train(self, run: TrainingRun) -> None:
        """Fit on `train`; `validation` is watched, and ends the training where early_stopping_rounds says so."""
        weighted = bool(run.hyperparameters.get("csv_weights"))
        training = read_labelled(run, "train", CONTENT_TYPES, weighted=weighted)
        run.log(f"Train matrix has {training.features.shape[0]} rows and {training.features.shape[1]} columns")
        validation = None
        if "validation" in run.channels:
            width = training.features.shape[1]
            validation = read_labelled(run, "validation", CONTENT_TYPES, weighted=weighted, width=width)
            run.log(f"Validation matrix has {validation.features.shape[0]} rows")
        train(run, training, validation)

    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> Predictor:
        """Return the archive's model, or the mean (or vote) of its models.

        SAGEMAKER_INFERENCE_OUTPUT names what replies hold, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT their content type
        where a request names none; SAGEMAKER_INFERENCE_ENSEMBLE=false takes the first model.
        """
        environment = environment or {}
        boosters = load_boosters(folder)
        if environment.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") != "true":
            boosters = boosters[:1]
        keys = environment.get("SAGEMAKER_INFERENCE_OUTPUT", "").replace(" ", "").lower()
        default = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv")
        return XGBoostPredictor(boosters, tuple(keys.split(",")) if keys else (), default)


class XGBoostPredictor(RowPredictor):
    """Answers {"predictions": [{"score": …}]}, in CSV unless asked otherwise."""

    content_types = ("text/csv", "text/libsvm", "application/x-recordio-protobuf")

    def __init__(self, boosters: Sequence[Booster], keys: tuple[str, ...], default: str) -> None:
        """Serve these models; `keys` are those of SAGEMAKER_INFERENCE_OUTPUT, `default` is the reply's content type."""
        self.boosters, self.keys = boosters, keys
        self.accepts = tuple(sorted(REPLY_TYPES, key=lambda name: name != default))
        self.width = boosters[0].width

    def reply(self, features: Any, accept: MediaType) -> Reply:
        """Return the score of each row, or what SAGEMAKER_INFERENCE_OUTPUT asks for."""
        blocks = [self.scores(block) for block in dense_blocks(features, absent=np.nan)]
        scores = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        if self.keys:
            first = self.boosters[0]
            columns = selected_columns(scores, self.keys, first.objective, first.classes)
            return Reply(quoted(columns) if accept.name == "text/csv" else columns)
        return Reply({"score": scores})

    def scores(self, rows: Floats) -> Floats:
        """Return the models' answers to dense rows: [rows] or [rows, classes]."""
        if len(self.boosters) == 1:
            return self.boosters[0].predict(rows)
        answers = np.stack([booster.predict(rows) for booster in self.boosters])
        if self.boosters[0].objective not in VOTED:
            return np.asarray(answers.mean(axis=0), np.float32)
        votes, choices = answers.T, np.unique(answers)
        counts = (votes[:, :, None] == choices).sum(axis=1)
        return np.asarray(choices[counts.argmax(axis=1)], np.float32)
