from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.algorithms import find_algorithm
from headrace.ml.contract import View
from headrace.ml.process.training.fitting import Fit
from headrace.ml.process.training.matrices import Matrices
from headrace.ml.process.training.trial import PRUNED, Trial, as_candidate, pool_predictions

BOOSTING = find_algorithm("gradient_boosting_lightgbm")


def result(seconds: float = 1.0, **hyperparameters) -> dict:
    complete = {key: each.default for key, each in BOOSTING.hyperparameters.items()} | hyperparameters
    return {"seconds": seconds, "rows": 80, "score": 0.5, "train_score": 0.75, "hyperparameters": complete}


def test_what_early_stopping_found_is_averaged_and_grows_a_little_with_the_rows() -> None:
    trial = Trial(0, "t", BOOSTING, {"learning_rate": 0.1})
    trial.results = {
        0: result(num_iterations=90, learning_rate=0.1),
        1: result(num_iterations=110, learning_rate=0.1),
    }
    assert trial.refit_hyperparameters(1.0)["num_iterations"] == 100
    assert trial.refit_hyperparameters(16.0)["num_iterations"] == 200
    assert trial.refit_hyperparameters(16.0)["learning_rate"] == 0.1
    assert trial.refit_hyperparameters(16.0)["num_leaves"] == BOOSTING.hyperparameters["num_leaves"].default


def test_an_average_that_is_not_allowed_falls_back_to_the_first_fold() -> None:
    trial = Trial(0, "t", BOOSTING, {"num_iterations": 20_000})
    trial.results = {0: result(num_iterations=20_000), 1: result(num_iterations=19_000)}
    assert trial.refit_hyperparameters(2.0)["num_iterations"] == 20_000


def fold(held: list[int]) -> Matrices:
    return Matrices("data", None, np.arange(3), np.array(held), np.arange(1), {View.TREES: 2})  # type: ignore[arg-type]


def save(folder, name: str, predictions: list[float]) -> Fit:
    fit = Fit("baseline", "regression", 0, 0, {"of": name}, "data", "trees", "rmse")
    (folder / "fits" / fit.identity).mkdir(parents=True)
    np.save(folder / "fits" / fit.identity / "held.npy", np.array(predictions))
    return fit


def test_rows_that_several_folds_predict_get_the_mean(tmp_path) -> None:
    fits = [save(tmp_path, "one", [1.0, 10.0]), save(tmp_path, "two", [2.0, 20.0])]
    pooled = pool_predictions(tmp_path, fits, [fold([3, 9]), fold([5, 9])], np.array([3, 5, 9]))
    assert pooled.tolist() == [1.0, 2.0, 15.0]


def test_a_pruned_trial_becomes_a_candidate_without_a_score() -> None:
    trial = Trial(3, "boosting-2", BOOSTING, {}, status=PRUNED, reason="clearly worse")
    trial.results = {0: result(2.5)}
    candidate = as_candidate(trial)
    assert (candidate.name, candidate.algorithm, candidate.status) == ("boosting-2", BOOSTING.name, "pruned")
    assert candidate.score is None
    assert candidate.fold_scores == (0.5,)
    assert candidate.train_score == 0.75
    assert candidate.fit_seconds == pytest.approx(2.5)
    assert candidate.rows == 80
