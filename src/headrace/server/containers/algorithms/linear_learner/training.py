"""Linear Learner's training: several models of different penalties, the best one kept and its threshold found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.algorithms.linear_learner.calibration import best_threshold
from headrace.server.containers.algorithms.linear_learner.fitting import Problem, fit
from headrace.server.containers.algorithms.linear_learner.hyperparameters import BINARY, MULTICLASS, REGRESSOR
from headrace.server.containers.algorithms.linear_learner.losses import Doubles, Loss, loss_of
from headrace.server.containers.algorithms.linear_learner.metrics import BETTER, measured
from headrace.server.containers.algorithms.linear_learner.scaling import Scaling, scaling_of
from headrace.server.containers.contract import ClientError, TrainingRun
from headrace.server.containers.logs import LOSS, progress_line, quality_line

Labelled = tuple[Any, npt.NDArray[Any]]
"""Features [rows, columns] and labels [rows]."""
WEAKEST, STRONGEST, PENALTIES = 1e-6, 1e-1, 6


@dataclass(frozen=True)
class Model:
    """Weight [columns, outputs], bias [outputs], and the score above which a binary classifier says 1."""

    weight: Doubles
    bias: Doubles
    threshold: float = 0.5

    def scores(self, features: Any, loss: str) -> Doubles:
        """Return probabilities (logistic, softmax_loss), margins or values: [rows, outputs]."""
        raw = np.asarray(features @ self.weight) + self.bias
        if loss == "logistic":
            return np.asarray(np.exp(-np.logaddexp(0, -raw)))
        if loss == "softmax_loss":
            odds = np.exp(raw - raw.max(axis=1, keepdims=True))
            return np.asarray(odds / odds.sum(axis=1, keepdims=True))
        return raw

    def labels(self, scores: Doubles) -> npt.NDArray[np.int64]:
        """Return the class of each row of `scores`."""
        if scores.shape[1] == 1:
            return np.asarray(scores[:, 0] > self.threshold, np.int64)
        return np.asarray(np.argmax(scores, axis=1), np.int64)


def train(run: TrainingRun, options: Mapping[str, Any], channels: Mapping[str, Labelled]) -> Model:
    """Fit on `train`, choose on `validation` (else on `train`), and log the metrics of validation and test."""
    features, labels = channels["train"]
    kind = options["predictor_type"]
    scaling = scaling_of(features, labels, options, regressor=kind == REGRESSOR)
    loss = loss_of(options["loss"], kind, options)
    penalties = _penalties(options, len(labels), validated="validation" in channels)
    problem = Problem(
        features=scaling.features(features),
        labels=_fitted_labels(labels, scaling, kind),
        weights=_row_weights(labels, options),
        outputs=options["num_classes"] if kind == MULTICLASS else 1,
        loss=loss,
        l1=options["l1"] or 0.0,
        wd=0.0,
        bias_wd=0.0,
        use_bias=options["use_bias"],
    )
    judges = channels.get("validation", channels["train"])
    judged = scaling.features(judges[0]), _fitted_labels(judges[1], scaling, kind)
    models: list[tuple[tuple[float, float], Model]] = []
    for number, wd in enumerate(penalties):
        one = replace(problem, wd=wd, bias_wd=wd * (options["bias_wd_mult"] or 0.0))
        epochs = _Epochs(run, options, loss, judged if "validation" in channels else None, number == 0)
        weight, bias = fit(one, options, run.seed, epochs)
        _refuse_divergence(weight, bias, options)
        model = Model(*scaling.back(weight, bias))
        objective = _mean_loss(loss, judged, weight, bias)
        worth = -objective
        if kind == BINARY:
            threshold = 0.5 if options["loss"] == "logistic" else 0.0
            scores = model.scores(judges[0], options["loss"])[:, 0]
            threshold, criterion = best_threshold(scores, judges[1], options, threshold)
            model = replace(model, threshold=threshold)
            if options["binary_classifier_model_selection_criteria"] != "loss_function":
                worth = criterion
        models.append(((worth, -objective), model))
        run.log(progress_line(number + 1, len(penalties)))
        if run.stopped():
            break
    _, model = max(models, key=lambda each: each[0])
    _log_metrics(run, options, channels, model, scaling, loss)
    return model


class _Epochs:
    """What happens after each epoch: a log line (of the first model), and the decision to stop."""

    def __init__(
        self, run: TrainingRun, options: Mapping[str, Any], loss: Loss, validation: Labelled | None, logged: bool
    ) -> None:
        self.run, self.loss, self.validation, self.logged = run, loss, validation, logged
        self.patience, self.tolerance = options["early_stopping_patience"], options["early_stopping_tolerance"]
        self.best, self.without = np.inf, 0

    def __call__(self, epoch: int, objective: float, weight: Doubles, bias: Doubles) -> bool:
        if self.logged:
            self.run.log(quality_line("train", "objective_loss", objective, LOSS, epoch))
        watched = objective
        if self.validation is not None:
            watched = _mean_loss(self.loss, self.validation, weight, bias)
            if self.logged:
                self.run.log(quality_line("validation", "objective_loss", watched, LOSS, epoch))
        better = not np.isfinite(self.best) or self.best - watched > self.tolerance * abs(self.best)
        self.best, self.without = min(self.best, watched), 0 if better else self.without + 1
        return self.without >= self.patience or self.run.stopped()


def _mean_loss(loss: Loss, rows: Labelled, weight: Doubles, bias: Doubles) -> float:
    return float(loss(np.asarray(rows[0] @ weight) + bias, rows[1])[0].mean())


def _fitted_labels(labels: npt.NDArray[Any], scaling: Scaling, kind: str) -> npt.NDArray[Any]:
    return scaling.labels(labels) if kind == REGRESSOR else labels


def _penalties(options: Mapping[str, Any], rows: int, *, validated: bool) -> list[float]:
    """Return the L2 penalty of each model: the given one, or a range of them beside 1 / rows."""
    if options["wd"] is not None:
        return [options["wd"]]
    own = 0.0 if options["l1"] else 1 / rows
    models = options["num_models"] or (PENALTIES + 1 if validated else 1)
    return [own, *np.geomspace(WEAKEST, STRONGEST, models)[: models - 1].tolist()] if models > 1 else [own]


def _row_weights(labels: npt.NDArray[Any], options: Mapping[str, Any]) -> Doubles:
    weights = np.ones(len(labels))
    kind, mult = options["predictor_type"], options["positive_example_weight_mult"]
    if kind == BINARY:
        positives = float(labels.sum())
        weights[labels == 1] = (len(labels) - positives) / positives if isinstance(mult, str) else mult
    elif kind == MULTICLASS and options["balance_multiclass_weights"]:
        counts = np.bincount(labels)
        weights = (len(labels) / np.maximum(counts, 1))[labels]
    return weights


def _refuse_divergence(weight: Doubles, bias: Doubles, options: Mapping[str, Any]) -> None:
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ClientError(
            f"The loss became infinite: the learning_rate {options['learning_rate']} is too large, or the features "
            "are; lower it or set normalize_data to true"
        )


def _log_metrics(
    run: TrainingRun,
    options: Mapping[str, Any],
    channels: Mapping[str, Labelled],
    model: Model,
    scaling: Scaling,
    loss: Loss,
) -> None:
    """Log every metric of the chosen model on each channel that has labels beside those it was fitted on."""
    kind = options["predictor_type"]
    for name, (features, labels) in channels.items():
        if name == "train":
            continue
        scores = model.scores(features, options["loss"])
        raw = np.asarray(features @ model.weight) + model.bias
        fitted = (raw - scaling.label_mean) / scaling.label_deviation if kind == REGRESSOR else raw
        objective = float(loss(fitted, _fitted_labels(labels, scaling, kind))[0].mean())
        values = {"objective_loss": objective} | measured(kind, scores, labels, model.labels(scores), options)
        for metric, value in values.items():
            run.log(quality_line(name, metric, value, BETTER[metric]))
