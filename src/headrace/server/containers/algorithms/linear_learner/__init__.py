"""Linear Learner: linear models by L-BFGS or mini-batches, the best of several, with a calibrated threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from headrace.server.containers.algorithms.linear_learner.hyperparameters import (
    AUTO_LOSS,
    BINARY,
    LOSSES,
    MULTICLASS,
    PARAMETERS,
    REGRESSOR,
)
from headrace.server.containers.algorithms.linear_learner.losses import Doubles
from headrace.server.containers.algorithms.linear_learner.metrics import METRICS
from headrace.server.containers.algorithms.linear_learner.training import Model, train
from headrace.server.containers.artifacts import load_model, save_model
from headrace.server.containers.contract import (
    BuiltIn,
    ChannelRule,
    ClientError,
    Metric,
    Predictor,
    Reply,
    TrainingRun,
)
from headrace.server.containers.formats import MediaType
from headrace.server.containers.hyperparameters import Parameter
from headrace.server.containers.inputs import AI_ALGORITHMS_TYPES, check_feature_dim, class_codes, read_labelled
from headrace.server.containers.logs import PROGRESS
from headrace.server.containers.serving import RowPredictor, complete_request


class LinearLearner(BuiltIn):
    """AWS's "Linear Learner Algorithm"."""

    name = "linear-learner"
    title = "Linear Learner"
    repositories = ("linear-learner",)
    hyperparameters: ClassVar[Mapping[str, Parameter]] = PARAMETERS
    channels: ClassVar[Mapping[str, ChannelRule]] = {
        "train": ChannelRule(True, AI_ALGORITHMS_TYPES),
        "validation": ChannelRule(False, AI_ALGORITHMS_TYPES),
        "test": ChannelRule(False, AI_ALGORITHMS_TYPES),
    }
    metrics: ClassVar[Sequence[Metric]] = (*METRICS, PROGRESS)

    def check(self, hyperparameters: Mapping[str, Any], channels: Sequence[str]) -> None:
        """Raise ClientError where predictor_type, num_classes and loss do not go together."""
        del channels
        kind, classes = hyperparameters["predictor_type"], hyperparameters["num_classes"]
        if kind == MULTICLASS and classes is None:
            raise ClientError("The hyperparameter num_classes is required when predictor_type is multiclass_classifier")
        loss = hyperparameters["loss"]
        if loss is not None and loss not in LOSSES[kind]:
            raise ClientError(
                f"The loss {loss} cannot be used with predictor_type {kind}; use auto or one of "
                f"{', '.join(LOSSES[kind])}"
            )

    def train(self, run: TrainingRun) -> None:
        """Fit on `train`; `validation` picks the model, its threshold and the end of the training."""
        options = dict(run.hyperparameters)
        options["loss"] = options["loss"] or AUTO_LOSS[options["predictor_type"]]
        channels = {"train": _read(run, "train", options)}
        options["feature_dim"] = channels["train"][0].shape[1]
        channels |= {name: _read(run, name, options) for name in ("validation", "test") if name in run.channels}
        model = train(run, options, channels)
        facts = {"predictor_type": options["predictor_type"], "loss": options["loss"], "threshold": model.threshold}
        save_model(run.model, self.name, {"weight": model.weight, "bias": model.bias}, facts)

    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> Predictor:
        """Return the model that `train` left."""
        del environment
        arrays, facts = load_model(folder, self.name, ("weight", "bias"))
        model = Model(arrays["weight"], arrays["bias"], float(facts["threshold"]))
        return LinearPredictor(model, str(facts["predictor_type"]), str(facts["loss"]))


def _read(run: TrainingRun, name: str, options: Mapping[str, Any]) -> tuple[Any, npt.NDArray[Any]]:
    """Return features and labels of a channel: class codes, or values of a regressor."""
    rows = read_labelled(run, name, AI_ALGORITHMS_TYPES)
    if options["feature_dim"] is not None:
        check_feature_dim(rows, options["feature_dim"], name)
    values = rows.features if isinstance(rows.features, np.ndarray) else rows.features.data
    if np.isnan(values).any():
        raise ClientError(
            f"Channel '{name}' has rows with missing values, which Linear Learner does not take; fill them in"
        )
    labels = rows.labels
    assert labels is not None
    kind = options["predictor_type"]
    if kind == REGRESSOR:
        return rows.features, labels
    classes = 2 if kind == BINARY else options["num_classes"]
    what = f"predictor_type {kind}" + (f" with num_classes {classes}" if kind == MULTICLASS else "")
    codes = class_codes(labels, classes, what, name)
    if name == "train" and len(np.unique(codes)) == 1:
        raise ClientError(
            f"All labels of channel 'train' are {codes[0]}; a {kind} needs rows of at least two classes to learn from"
        )
    return rows.features, codes


class LinearPredictor(RowPredictor):
    """Answers {"predictions": [{"score": …, "predicted_label": …}]}; a regressor the score alone."""

    def __init__(self, model: Model, predictor_type: str, loss: str) -> None:
        """Serve this model."""
        self.model, self.predictor_type, self.loss = model, predictor_type, loss
        self.width = len(model.weight)

    def reply(self, features: Any, accept: MediaType) -> Reply:
        """Return score and label of each row."""
        del accept
        scores = self.model.scores(complete_request(features), self.loss)
        if self.predictor_type == REGRESSOR:
            return Reply({"score": scores[:, 0]})
        labels = self.model.labels(scores)
        shown: Doubles = scores[:, 0] if self.predictor_type == BINARY else scores
        return Reply({"score": shown, "predicted_label": labels})
