"""LightGBM as JumpStart offers it: its own defaults, the library's trees, its text model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.lightgbm_trees import text_form
from headrace.ml.adapters.links import IDENTITY, SIGMOID, SOFTMAX
from headrace.ml.adapters.threads import import_library
from headrace.ml.errors import ModelError
from headrace.server.containers.artifacts import load_facts, save_facts
from headrace.server.containers.compiled import compiled
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
from headrace.server.containers.values import automatic, boolean, choice, real, whole

MODEL = "model.txt"
WITHOUT = ("sklearn", "pandas")
"""What LightGBM would load for interfaces that are not used here."""
METRICS = (
    "rmse",
    "l1",
    "l2",
    "huber",
    "fair",
    "binary_logloss",
    "binary_error",
    "auc",
    "average_precision",
    "multi_logloss",
    "multi_error",
    "auc_mu",
    "cross_entropy",
)
AUTO_METRIC = {REGRESSION: "rmse", BINARY: "binary_logloss", MULTICLASS: "multi_logloss"}
LINKS = {"regression": IDENTITY, "binary sigmoid:1": SIGMOID, "multiclass": SOFTMAX}
"""How sums of trees become answers, by objective; models of the other objectives are run by the library."""
OBJECTIVES = {REGRESSION: "regression", BINARY: "binary", MULTICLASS: "multiclass"}
NOT_PASSED = ("num_boost_round", "early_stopping_rounds", "metric")
Predict = Callable[[Floats], Floats]

_share = real(0, 1)
_some = real(high=1, above=0)
_positive = real(0)


class LightGBM(BuiltIn):
    """AWS's "LightGBM" of JumpStart; `task` is classification, regression, or None: by the labels."""

    name = "lightgbm"
    title = "LightGBM"
    repositories = ("lightgbm",)
    hyperparameters: ClassVar[Mapping[str, Parameter]] = {
        "num_boost_round": Parameter(whole(1), "the number of rounds", default=100),
        "early_stopping_rounds": Parameter(whole(1), "rounds without a better metric that end it", default=10),
        "metric": Parameter(
            automatic(choice(*METRICS)), "what is watched: rmse, binary_logloss or multi_logloss where auto"
        ),
        "learning_rate": Parameter(
            _some, "share of each tree that is added", default=0.1, tunable=("continuous", 0.001, 0.01, "Auto")
        ),
        "num_leaves": Parameter(whole(2), "leaves a tree", default=64, tunable=("integer", 10, 100, "Auto")),
        "feature_fraction": Parameter(
            _some, "share of columns a tree sees", default=0.9, tunable=("continuous", 0.1, 1.0, "Auto")
        ),
        "bagging_fraction": Parameter(
            _some, "share of rows a tree sees", default=0.9, tunable=("continuous", 0.1, 1.0, "Auto")
        ),
        "bagging_freq": Parameter(
            whole(0), "rounds between two draws of rows", default=1, tunable=("integer", 0, 10, "Auto")
        ),
        "max_depth": Parameter(
            whole(-1), "levels a tree, -1 for no limit", default=6, tunable=("integer", 15, 100, "Auto")
        ),
        "min_data_in_leaf": Parameter(whole(0), "rows a leaf", default=3, tunable=("integer", 10, 200, "Auto")),
        "max_delta_step": Parameter(real(), "largest value of a leaf, 0 for no limit", default=0.0),
        "lambda_l1": Parameter(_positive, "L1 penalty of the leaves", default=0.0),
        "lambda_l2": Parameter(_positive, "L2 penalty of the leaves", default=0.0),
        "boosting": Parameter(choice("gbdt", "rf", "dart", "goss"), "the kind of boosting", default="gbdt"),
        "min_gain_to_split": Parameter(_positive, "gain that a split must bring", default=0.0),
        "scale_pos_weight": Parameter(real(above=0), "weight of positive rows", default=1.0),
        "tree_learner": Parameter(
            choice("serial", "feature", "data", "voting"), "accepted: one host learns serially", default="serial"
        ),
        "feature_fraction_bynode": Parameter(_some, "share of columns a split sees", default=1.0),
        "is_unbalance": Parameter(boolean, "whether classes weigh the same", default=False),
        "max_bin": Parameter(whole(2), "bins of a column", default=255),
        "tweedie_variance_power": Parameter(
            real(1, below=2), "accepted, no effect: no objective here is tweedie", default=1.5
        ),
        "num_threads": Parameter(whole(0), "threads, 0 for all", default=0),
        "verbosity": Parameter(whole(), "how much the library says", default=1),
    }
    channels: ClassVar[Mapping[str, ChannelRule]] = CHANNELS
    metrics: ClassVar[Sequence[Metric]] = tuple(Metric(name, rf"{name}: ([0-9\.]+)") for name in METRICS)

    def __init__(self, task: str | None = None) -> None:
        """Take the task that the JumpStart model's name says."""
        self.task = task

    def check(self, hyperparameters: Mapping[str, Any], channels: Sequence[str]) -> None:
        """Raise ClientError where channels or the weights of classes do not go together."""
        check_channels(channels)
        if hyperparameters["is_unbalance"] and hyperparameters["scale_pos_weight"] != 1:
            raise ClientError("is_unbalance cannot be true while scale_pos_weight is not 1; choose one of them")

    def train(self, run: TrainingRun) -> None:
        """Boost on the training rows until the metric of the validation rows no longer improves."""
        lightgbm = import_library("lightgbm", without=WITHOUT)
        table = read_table(run, self.task)
        parameters = library_parameters(run, table)
        training, validation = _dataset(lightgbm, table, parameters)
        rounds = run.hyperparameters["early_stopping_rounds"]
        callbacks = [_progress(lightgbm, run)]
        if run.hyperparameters["boosting"] != "dart":
            callbacks.append(lightgbm.early_stopping(rounds, verbose=False))
        try:
            booster = lightgbm.train(
                parameters,
                training,
                run.hyperparameters["num_boost_round"],
                valid_sets=[validation],
                valid_names=["validation"],
                callbacks=callbacks,
            )
        except lightgbm.basic.LightGBMError as error:
            raise ClientError(f"LightGBM cannot train on this data with these hyperparameters: {error}") from error
        best = booster.best_iteration if booster.best_iteration > 0 else None
        (run.model / MODEL).write_text(booster.model_to_string(num_iteration=best), encoding="utf-8")
        save_facts(run.model, self.name, {"task": table.task, "classes": table.classes})

    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> Predictor:
        """Return the model that `train` left."""
        del environment
        facts, content = load_facts(folder, self.name, MODEL)
        try:
            text = content.decode()
            check_trees(text)
            return LightGBMPredictor(_compiled(text) or _by_library(text), _width(text), str(facts["task"]))
        except (ValueError, KeyError, IndexError) as error:
            raise ClientError(f"{MODEL} is not a text model of LightGBM ({error}); train again") from error


def check_trees(text: str) -> None:
    """Raise ValueError where a tree of a text model is none: the library would go round in it, or read beyond it."""
    width = _width(text)
    for number, part in enumerate(text.split("\nTree=")[1:]):
        fields = dict(line.split("=", 1) for line in part.partition("\n\n")[0].splitlines() if "=" in line)
        leaves = int(fields["num_leaves"])
        if leaves < 2:
            continue
        columns = np.array(fields["split_feature"].split(), np.int64)
        children = np.array([*fields["left_child"].split(), *fields["right_child"].split()], np.int64)
        expected = np.concatenate([np.arange(-leaves, 0), np.arange(1, leaves - 1)])
        sizes = [len(fields[name].split()) for name in ("threshold", "decision_type", "leaf_value")]
        if sizes != [leaves - 1, leaves - 1, leaves]:
            raise ValueError(f"tree {number} has {sizes} thresholds, decisions and values for {leaves} leaves")
        if not np.array_equal(np.sort(children), expected) or not (0 <= columns.min() <= columns.max() < width):
            raise ValueError(f"tree {number} is no tree over {width} features")


def library_parameters(run: TrainingRun, table: Table) -> dict[str, Any]:
    """Return what goes to `lightgbm.train`: the hyperparameters, objective, metric and seed."""
    given = {name: value for name, value in run.hyperparameters.items() if name not in NOT_PASSED}
    parameters = given | {
        "objective": OBJECTIVES[table.task],
        "metric": run.hyperparameters["metric"] or AUTO_METRIC[table.task],
        "tree_learner": "serial",
        "seed": run.seed,
        "verbosity": -1,
    }
    if table.task == MULTICLASS:
        parameters["num_class"] = table.classes
    if table.task != BINARY:
        parameters["scale_pos_weight"] = 1.0
    return parameters


def _dataset(lightgbm: Any, table: Table, parameters: Mapping[str, Any]) -> tuple[Any, Any]:
    categories = list(table.categories) or "auto"
    training = lightgbm.Dataset(
        table.training.features, table.training.labels, params=dict(parameters), categorical_feature=categories
    )
    validation = lightgbm.Dataset(table.validation.features, table.validation.labels, reference=training)
    return training, validation


def _progress(lightgbm: Any, run: TrainingRun) -> Any:
    """Return the callback that logs each round's metrics and heeds StopTrainingJob."""

    def report(environment: Any) -> None:
        found = [f"{part}'s {name}: {value:.6f}" for part, name, value, *_ in environment.evaluation_result_list]
        run.log("\t".join([f"[{environment.iteration + 1}]", *found]))
        if run.stopped():
            raise lightgbm.callback.EarlyStopException(environment.iteration, environment.evaluation_result_list)

    return report


def _header(text: str) -> dict[str, str]:
    """Return what a text model says before its first tree; a line without a value is a name of its own."""
    lines = text.partition("\nTree=")[0].splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def _width(text: str) -> int:
    return int(_header(text)["max_feature_idx"]) + 1


def _compiled(text: str) -> Predict | None:
    """Return the predict of a model's ONNX graph, which needs no library, or None where it can't be written as one."""
    header = _header(text)
    link = LINKS.get(header["objective"].partition(" num_class:")[0])
    if link is None or "average_output" in header or "\nis_linear=1" in text:
        return None
    try:
        return compiled(text_form(text, int(header["num_tree_per_iteration"]), link), _width(text))
    except ModelError:
        return None


def _by_library(text: str) -> Predict:
    """Return the library's own predict, which any thread may call."""
    lightgbm = import_library("lightgbm", without=WITHOUT)
    try:
        booster = lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(str(error)) from error

    binary = _header(text)["objective"].startswith("binary")

    def predict(rows: Floats) -> Floats:
        values = np.asarray(booster.predict(rows, num_threads=1))
        if binary:
            return np.column_stack([1 - values, values])
        return values if values.ndim == 2 else values[:, None]

    return predict


class LightGBMPredictor(TablePredictor):
    """Serves a model whose `predict` takes dense rows to [rows, classes], or to values [rows, 1]."""

    def __init__(self, predict: Predict, width: int, task: str) -> None:
        """Serve this model."""
        self.predict, self.width, self.task = predict, width, task

    def reply(self, features: Any, accept: MediaType) -> Reply:
        """Return each row's probabilities or value."""
        blocks = [self.predict(block) for block in dense_blocks(features)]
        values = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        return self.answer(self.task, values[:, 0] if self.task == REGRESSION else values, accept)
