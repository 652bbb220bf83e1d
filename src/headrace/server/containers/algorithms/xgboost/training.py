"""XGBoost's training: the library called with the job's own parameters, its evaluations as log lines."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.adapters.threads import import_library
from headrace.server.containers.algorithms.xgboost.hyperparameters import HIGHER_IS_BETTER, NOT_PASSED
from headrace.server.containers.algorithms.xgboost.metrics import NOT_IN_LIBRARY, custom_metric
from headrace.server.containers.algorithms.xgboost.serving import WITHOUT
from headrace.server.containers.contract import ClientError, Rows, TrainingRun
from headrace.server.containers.hyperparameters import TUNING_OBJECTIVE

MODEL = "xgboost-model"
CHECKPOINT = "xgboost-checkpoint"
KEPT_CHECKPOINTS = 5
CHECKPOINTS_A_RUN = 20
DEFAULT_OBJECTIVE = "reg:squarederror"


def train(run: TrainingRun, training: Rows, validation: Rows | None) -> None:
    """Train on the rows and leave one model, or one a fold, in `run.model`."""
    xgboost = import_library("xgboost", without=WITHOUT)
    objective = run.hyperparameters.get("objective") or DEFAULT_OBJECTIVE
    for rows in (training, validation):
        if rows is not None:
            check_labels(rows, objective, run.hyperparameters.get("num_class"))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            if run.hyperparameters.get("_kfold"):
                _cross_validate(xgboost, run, training, validation)
            else:
                booster = _boost(xgboost, run, _matrix(xgboost, training), validation, run.checkpoint)
                save(booster, run.model / MODEL)
        except xgboost.core.XGBoostError as error:
            raise ClientError(_reason(str(error))) from error
        finally:
            for warning in said:
                run.log(f"[WARNING] {str(warning.message).strip()}")


def library_parameters(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what goes to `xgboost.train` as parameters: those that were given, under the library's names."""
    given = {name: value for name, value in hyperparameters.items() if value is not None and name not in NOT_PASSED}
    parameters = {name: str(value) if isinstance(value, tuple) else value for name, value in given.items()}
    if "updater" in given:
        parameters["updater"] = ",".join(given["updater"])
    if "interaction_constraints" in given:
        parameters["interaction_constraints"] = str([list(group) for group in given["interaction_constraints"]])
    if given.get("objective") == "reg:linear":
        parameters["objective"] = DEFAULT_OBJECTIVE
    if given.get("tree_method") == "gpu_hist":
        parameters["tree_method"] = "hist"
    return parameters


def save(booster: Any, path: Path) -> None:
    """Write the library's JSON model: what `Booster.load_model` reads, and serving without the library."""
    path.write_bytes(bytes(booster.save_raw("json")))


def _matrix(xgboost: Any, rows: Rows) -> Any:
    return xgboost.DMatrix(rows.features, label=rows.labels, weight=rows.weights, qid=rows.groups)


def _boost(xgboost: Any, run: TrainingRun, matrix: Any, validation: Rows | None, checkpoints: Path) -> Any:
    """Train one booster, from the latest checkpoint where there is one."""
    given = run.hyperparameters
    parameters, names = library_parameters(given), _metric_names(given)
    measure = custom_metric(names, parameters.get("objective", DEFAULT_OBJECTIVE))
    if library_names := [name for name in names if name not in NOT_IN_LIBRARY]:
        parameters["eval_metric"] = library_names
    watched = [(matrix, "train")]
    if validation is not None:
        watched.append((_matrix(xgboost, validation), "validation"))
    start, rounds = latest_checkpoint(checkpoints)
    if start is not None:
        run.log(f"Checkpoint loaded from {start}")
        run.log(f"Resuming from iteration {rounds}")
    left = given["num_round"] - rounds
    callbacks = [_progress(xgboost, run, checkpoints, rounds)]
    if given.get("early_stopping_rounds") and validation is not None:
        callbacks.append(_stopping(xgboost, given, names))
    return xgboost.train(
        parameters,
        matrix,
        num_boost_round=left,
        evals=watched,
        custom_metric=measure,
        callbacks=callbacks,
        xgb_model=None if start is None else xgboost.Booster(model_file=bytearray(start.read_bytes())),
        verbose_eval=False,
    )


def _metric_names(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the metrics asked for; a tuning job's own comes with those of the request, in alphabetical order."""
    named = tuple(given.get("eval_metric") or ())
    objective = given.get(TUNING_OBJECTIVE)
    if objective:
        return tuple(sorted({objective.rpartition(":")[2], *named}))
    return named


def _stopping(xgboost: Any, given: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Return the library's early stopping on the last metric of validation; it keeps the best rounds."""
    last = names[-1] if names else None
    return xgboost.callback.EarlyStopping(
        rounds=given["early_stopping_rounds"],
        data_name="validation",
        metric_name=last,
        maximize=None if last is None else last.partition("@")[0] in HIGHER_IS_BETTER,
        save_best=True,
    )


def _progress(xgboost: Any, run: TrainingRun, checkpoints: Path, before: int) -> Any:
    """Return the callback that logs each round's metrics, saves checkpoints and heeds StopTrainingJob."""
    rounds = run.hyperparameters["num_round"]
    interval = max(1, rounds // CHECKPOINTS_A_RUN)

    class Progress(xgboost.callback.TrainingCallback):  # type: ignore[misc]
        def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
            done = before + epoch + 1
            values = [
                f"{part}-{name}:{history[-1]:.5f}"
                for part, metrics in evals_log.items()
                for name, history in metrics.items()
            ]
            run.log("#011".join([f"[{done - 1}]", *values]))
            stopped = run.stopped()
            if done < rounds and (stopped or done % interval == 0):
                _save_checkpoint(model, checkpoints, done - 1)
            return stopped

    return Progress()


def _save_checkpoint(model: Any, folder: Path, iteration: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{CHECKPOINT}.{iteration}"
    save(model, temporary)
    temporary.replace(folder / f"{CHECKPOINT}.{iteration}")
    for old in _checkpoints(folder)[:-KEPT_CHECKPOINTS]:
        old.unlink(missing_ok=True)


def _checkpoints(folder: Path) -> list[Path]:
    found = [path for path in folder.glob(f"{CHECKPOINT}.*") if path.suffix[1:].isdigit()]
    return sorted(found, key=lambda path: int(path.suffix[1:]))


def latest_checkpoint(folder: Path) -> tuple[Path | None, int]:
    """Return the newest checkpoint in JSON, never a pickle, and the rounds it holds; (None, 0) where there is none."""
    for path in reversed(_checkpoints(folder)):
        if path.read_bytes()[:2] == b'{"':
            return path, int(path.suffix[1:]) + 1
    return None, 0


def _cross_validate(xgboost: Any, run: TrainingRun, training: Rows, validation: Rows | None) -> None:
    """Train a model a fold of train and validation together; the out-of-fold predictions become predictions.csv."""
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    rows = training if validation is None else _joined(training, validation)
    labels = np.asarray(rows.labels)
    folds, repeats = run.hyperparameters["_kfold"], run.hyperparameters.get("_num_cv_round") or 1
    if folds > len(labels):
        raise ClientError(f"_kfold is {folds}, and there are only {len(labels)} rows; give fewer folds or more rows")
    objective = run.hyperparameters.get("objective") or DEFAULT_OBJECTIVE
    classes = objective.startswith(("binary:", "multi:"))
    kind = RepeatedStratifiedKFold if classes else RepeatedKFold
    splits = kind(n_splits=folds, n_repeats=repeats, random_state=run.hyperparameters.get("seed") or 0)
    answers: list[list[Any]] = [[] for _ in labels]
    for number, (inside, outside) in enumerate(splits.split(np.zeros(len(labels)), labels if classes else None)):
        run.log(f"Train cross validation fold {number % folds + 1}")
        held_out = _taken(rows, outside)
        booster = _boost(
            xgboost, run, _matrix(xgboost, _taken(rows, inside)), held_out, run.checkpoint / f"model-{number}"
        )
        save(booster, run.model / f"{MODEL}-{number}")
        for row, answer in zip(outside, booster.predict(_matrix(xgboost, held_out)), strict=True):
            answers[row].append(answer)
        if run.stopped():
            return
    means = np.array([np.mean(answer, axis=0) for answer in answers]).reshape(len(labels), -1)
    np.savetxt(run.output / "predictions.csv", np.column_stack([labels, means]), delimiter=",", fmt="%f")


def _joined(first: Rows, second: Rows) -> Rows:
    from scipy import sparse

    stack = sparse.vstack if sparse.issparse(first.features) else np.concatenate
    weights = None if first.weights is None or second.weights is None else np.append(first.weights, second.weights)
    labels = np.append(np.asarray(first.labels), np.asarray(second.labels))
    return Rows(stack([first.features, second.features]), labels, weights)


def _taken(rows: Rows, which: Any) -> Rows:
    labels = np.asarray(rows.labels)[which]
    return Rows(rows.features[which], labels, None if rows.weights is None else rows.weights[which])


def check_labels(rows: Rows, objective: str, classes: int | None) -> None:
    """Raise ClientError, in the words of AWS's container, on labels that the objective does not take."""
    labels = np.asarray(rows.labels)
    if objective in ("binary:logistic", "binary:logitraw", "reg:logistic"):
        wrong, sentence = (labels < 0) | (labels > 1), "label must be in [0,1] for logistic regression"
    elif objective.startswith("multi:"):
        wrong = (labels < 0) | (labels >= (classes or 0)) | (labels != np.floor(labels))
        sentence = f"label must be in [0, num_class), and num_class is {classes}"
    else:
        return
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ClientError(f"{sentence}; row {row + 1} has the label {labels[row]:g}")


def _reason(message: str) -> str:
    """Return the library's own sentence, without the place in its source and the stack that follows."""
    first = message.partition("\nStack trace")[0].strip().splitlines()[0]
    return re.sub(r"^(\[[\d:]+\] )?(\S+:\d+: )?(Check failed: [^:]*: )?", "", first) or message
