"""CatBoost as JumpStart offers it: its own defaults, the library's trees, its .cbm model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.threads import import_library
from headrace.server.containers.artifacts import load_facts, save_facts
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
from headrace.server.containers.inputs import dense_blocks
from headrace.server.containers.jumpstart import (
    BINARY,
    CHANNELS,
    MULTICLASS,
    REGRESSION,
    Table,
    TablePredictor,
    check_channels,
    read_table,
)
from headrace.server.containers.values import automatic, choice, real, whole

MODEL = "model.cbm"
METRICS = (
    "RMSE",
    "MAE",
    "MedianAbsoluteError",
    "R2",
    "Logloss",
    "Precision",
    "Recall",
    "F1",
    "AUC",
    "MultiClass",
    "Accuracy",
    "BalancedAccuracy",
)
AUTO_METRIC = {REGRESSION: "RMSE", BINARY: "AUC", MULTICLASS: "MultiClass"}
LOSSES = {REGRESSION: "RMSE", BINARY: "Logloss", MULTICLASS: "MultiClass"}
KINDS = {REGRESSION: "RawFormulaVal", BINARY: "Probability", MULTICLASS: "Probability"}
SYMMETRIC, LOSSGUIDE, DEPTHWISE = "SymmetricTree", "Lossguide", "Depthwise"
BEST = "bestTest = "
AS_THEY_ARE = (
    "iterations",
    "early_stopping_rounds",
    "learning_rate",
    "depth",
    "l2_leaf_reg",
    "random_strength",
    "rsm",
    "sampling_frequency",
    "bagging_temperature",
    "boosting_type",
    "max_bin",
    "grow_policy",
    "random_seed",
    "thread_count",
)


class CatBoost(BuiltIn):
    """AWS's "CatBoost" of JumpStart; `task` is classification, regression, or None: by the labels."""

    name = "catboost"
    title = "CatBoost"
    repositories = ("catboost",)
    hyperparameters: ClassVar[Mapping[str, Parameter]] = {
        "iterations": Parameter(whole(1), "the number of trees", default=500),
        "early_stopping_rounds": Parameter(whole(1), "trees without a better metric that end it", default=5),
        "eval_metric": Parameter(automatic(choice(*METRICS)), "what is watched: RMSE, AUC or MultiClass where auto"),
        "learning_rate": Parameter(
            real(high=1, above=0),
            "share of each tree that is added",
            default=0.009,
            tunable=("continuous", 0.001, 0.01, "Auto"),
        ),
        "depth": Parameter(whole(1, 16), "levels a tree", default=6, tunable=("integer", 4, 10, "Auto")),
        "l2_leaf_reg": Parameter(real(0), "L2 penalty of the leaves", default=3.0, tunable=("integer", 2, 10, "Auto")),
        "random_strength": Parameter(
            real(0), "noise in the scores of splits", default=1.0, tunable=("continuous", 0, 10, "Auto")
        ),
        "max_leaves": Parameter(whole(2, 64), "leaves a tree, with grow_policy Lossguide only", default=31),
        "rsm": Parameter(real(high=1, above=0), "share of columns a split sees", default=1.0),
        "sampling_frequency": Parameter(
            choice("PerTreeLevel", "PerTree"), "how often rows are sampled", default="PerTreeLevel"
        ),
        "min_data_in_leaf": Parameter(whole(1), "rows a leaf, not with SymmetricTree", default=1),
        "bagging_temperature": Parameter(real(0), "how unequal the rows' random weights are", default=1.0),
        "boosting_type": Parameter(automatic(choice("Ordered", "Plain")), "ordered or plain boosting (by the library)"),
        "scale_pos_weight": Parameter(real(above=0), "weight of positive rows", default=1.0),
        "max_bin": Parameter(automatic(whole(1, 65535)), "borders of a column (by the library)"),
        "grow_policy": Parameter(choice(SYMMETRIC, DEPTHWISE, LOSSGUIDE), "how trees grow", default=SYMMETRIC),
        "random_seed": Parameter(whole(0), "seed of everything random", default=1),
        "thread_count": Parameter(whole(-1), "threads, -1 for all", default=-1),
        "verbose": Parameter(whole(0), "rounds between two lines of the log", default=1),
    }
    channels: ClassVar[Mapping[str, ChannelRule]] = CHANNELS
    metrics: ClassVar[Sequence[Metric]] = tuple(
        Metric(name, rf"bestTest = (-?[0-9\.]+) \({name}\)") for name in METRICS
    )

    def __init__(self, task: str | None = None) -> None:
        """Take the task that the JumpStart model's name says."""
        self.task = task

    def check(self, hyperparameters: Mapping[str, Any], channels: Sequence[str]) -> None:
        """Raise ClientError where the channels do not go together."""
        del hyperparameters
        check_channels(channels)

    def train(self, run: TrainingRun) -> None:
        """Boost on the training rows until the metric of the validation rows no longer improves."""
        catboost = import_library("catboost")
        table = read_table(run, self.task)
        columns = Columns(table.training.features.shape[1], table.categories)
        training = catboost.Pool(columns.split(catboost, table.training.features), table.training.labels)
        validation = catboost.Pool(columns.split(catboost, table.validation.features), table.validation.labels)
        parameters = library_parameters(run, table)
        model = catboost.CatBoost(parameters)

        class Stop:
            def after_iteration(self, info: Any) -> bool:
                del info
                return not run.stopped()

        try:
            model.fit(
                training,
                eval_set=validation,
                use_best_model=True,
                callbacks=[Stop()],
                log_cout=Lines(run, parameters["eval_metric"]),
                log_cerr=Lines(run, parameters["eval_metric"]),
            )
        except catboost.CatBoostError as error:
            raise ClientError(f"CatBoost cannot train on this data with these hyperparameters: {error}") from error
        model.save_model(str(run.model / MODEL), format="cbm")
        save_facts(
            run.model,
            self.name,
            {
                "task": table.task,
                "classes": table.classes,
                "width": table.training.features.shape[1],
                "categories": list(table.categories),
            },
        )

    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> Predictor:
        """Return the model that `train` left."""
        del environment
        facts, content = load_facts(folder, self.name, MODEL)
        catboost = import_library("catboost")
        try:
            model = catboost.CatBoost().load_model(blob=content)
        except catboost.CatBoostError as error:
            raise ClientError(f"{MODEL} is not a model of CatBoost ({error}); train again") from error
        return CatBoostPredictor(model, str(facts["task"]), Columns(facts["width"], tuple(facts["categories"])))


def library_parameters(run: TrainingRun, table: Table) -> dict[str, Any]:
    """Return what goes to `catboost.CatBoost`: the hyperparameters that fit task and growth, loss and metric."""
    given = run.hyperparameters
    parameters = {name: given[name] for name in AS_THEY_ARE if given[name] is not None}
    parameters |= {
        "loss_function": LOSSES[table.task],
        "eval_metric": given["eval_metric"] or AUTO_METRIC[table.task],
        "bootstrap_type": "Bayesian",
        "allow_writing_files": False,
        "metric_period": max(1, given["verbose"]),
    }
    if given["grow_policy"] != SYMMETRIC:
        parameters["min_data_in_leaf"] = given["min_data_in_leaf"]
    if given["grow_policy"] == LOSSGUIDE:
        parameters |= {"max_leaves": given["max_leaves"], "sampling_frequency": "PerTree"}
    if table.task == BINARY:
        parameters["scale_pos_weight"] = given["scale_pos_weight"]
    return parameters


class Lines:
    """A text stream whose lines go to the log of a run; the line of the best value says of which metric it is."""

    def __init__(self, run: TrainingRun, metric: str) -> None:
        """Write to this run's log."""
        self.run, self.metric, self.open = run, metric, ""

    def write(self, text: str) -> int:
        """Log every line that is complete."""
        *whole, self.open = (self.open + text).split("\n")
        for line in whole:
            if line.strip():
                self.run.log(f"{line} ({self.metric})" if line.startswith(BEST) else line)
        return len(text)

    def flush(self) -> None:
        """Do nothing: an open line waits for its end."""


class Columns:
    """Which of the columns are numbers and which are categories, as the library takes them apart."""

    def __init__(self, width: int, categories: tuple[int, ...]) -> None:
        """Note the columns among the features [rows, width] that are categories."""
        self.width, self.categories = width, list(categories)
        self.numbers = [column for column in range(width) if column not in set(categories)]

    def split(self, catboost: Any, features: Floats) -> Any:
        """Return features as the library takes them: as they are, or numbers and categories apart."""
        if not self.categories:
            return features
        texts = features[:, self.categories].astype(np.float64)
        named = np.array([[f"{value:g}".encode() for value in row] for row in texts], dtype=object)
        return catboost.FeaturesData(
            num_feature_data=np.ascontiguousarray(features[:, self.numbers]) if self.numbers else None,
            cat_feature_data=named,
        )


class CatBoostPredictor(TablePredictor):
    """Serves a model with the library's own predict, which any thread may call."""

    def __init__(self, model: Any, task: str, columns: Columns) -> None:
        """Serve this model."""
        self.model, self.task, self.columns, self.width = model, task, columns, columns.width

    def reply(self, features: Any, accept: MediaType) -> Reply:
        """Return each row's probabilities or value."""
        values = np.concatenate([self.predict(block) for block in dense_blocks(features)])
        return self.answer(self.task, values, accept)

    def predict(self, rows: Floats) -> npt.NDArray[Any]:
        """Return probabilities [rows, classes], or values [rows]."""
        data = self.columns.split(import_library("catboost"), rows)
        return np.asarray(self.model.predict(data, prediction_type=KINDS[self.task], thread_count=1))
