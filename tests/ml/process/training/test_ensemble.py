from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.algorithms import find_algorithm
from headrace.ml.contract import Task
from headrace.ml.metrics import find_metric
from headrace.ml.process.training.ensemble import (
    MOST_BYTES,
    MOST_MEMBERS,
    SMALLEST_SHARE,
    Selection,
    admissible,
    mix,
    rank_trials,
    select_members,
)
from headrace.ml.process.training.trial import FAILED, FITTED, Trial

RMSE = find_metric("rmse", Task.REGRESSION)
TARGET = np.random.default_rng(0).normal(size=1_000)
BASELINE = float(RMSE.score(TARGET, np.zeros(1_000), 0.5))
NAMES = ("gradient_boosting_lightgbm", "linear_square", "extra_trees", "decision_tree", "random_forest")


def trial(index: int, error: np.ndarray, *, microseconds: float = 10.0, **figures: float) -> Trial:
    predictions = TARGET + error
    made = Trial(index, f"t{index}", find_algorithm(NAMES[index % len(NAMES)]), {}, status=FITTED, held_out=predictions)
    made.score = float(RMSE.score(TARGET, predictions, 0.5))
    made.results = {
        0: {"predict_microseconds": microseconds, "operations": 100, "bytes": 1000, "seconds": 1.0} | figures
    }
    return made


def noise(seed: int, scale: float = 0.5) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=scale, size=1_000)


def choose(trials: list[Trial], **changes) -> Selection:
    how = {"latency_limit_ms": None, "single": False, "classes": 0, "seed": 0, "columns": 20} | changes
    return select_members(trials, TARGET, RMSE, BASELINE, **how)


def select(trials: list[Trial], **changes) -> dict[str, float]:
    return dict(choose(trials, **changes).weights)


def test_models_that_err_differently_are_combined_and_weigh_one_together() -> None:
    trials = [trial(index, noise(index + 1)) for index in range(3)]
    weights = select(trials)
    assert len(weights) == 3
    assert sum(weights.values()) == pytest.approx(1.0)
    mixed = mix({each.name: each.held_out for each in trials}, weights)
    assert RMSE.score(TARGET, mixed, 0.5) < min(each.score for each in trials)


def test_copies_of_one_model_stay_one_model() -> None:
    assert select([trial(0, noise(1)), trial(1, noise(1)), trial(2, 1.001 * noise(1))]) == {"t0": 1.0}


def test_the_best_stays_alone_where_the_others_only_harm() -> None:
    assert select([trial(0, noise(1, 0.05)), trial(1, noise(2, 2.0)), trial(2, noise(3, 3.0))]) == {"t0": 1.0}


def test_a_single_model_is_the_best_one() -> None:
    assert select([trial(0, noise(1, 0.5)), trial(1, noise(2, 0.4))], single=True) == {"t1": 1.0}


def test_there_are_few_members() -> None:
    weights = select([trial(index, noise(index + 1)) for index in range(12)])
    assert 1 < len(weights) <= MOST_MEMBERS
    assert min(weights.values()) >= SMALLEST_SHARE


def test_what_a_row_costs_bounds_the_ensemble() -> None:
    heavy = [trial(index, noise(index + 1), operations=10_000) for index in range(3)]
    assert len(select(heavy)) == 1
    lighter = [trial(index, noise(index + 1), operations=4_000) for index in range(6)]
    assert len(select(lighter)) == 4
    slow = [trial(index, noise(index + 1), microseconds=400.0) for index in range(4)]
    assert len(select(slow, latency_limit_ms=1.0)) == 2
    assert len(select(slow, latency_limit_ms=0.5)) == 1


def test_size_on_disk_and_the_time_left_to_fit_bound_the_ensemble() -> None:
    large = [trial(index, noise(index + 1), bytes=MOST_BYTES / 2) for index in range(4)]
    assert len(select(large)) == 2
    slow = [trial(index, noise(index + 1), seconds=10.0) for index in range(4)]
    assert len(select(slow, seconds=30.0)) == 3
    assert len(select(slow, seconds=-1.0)) == 1


def test_what_each_number_of_members_reaches_and_costs_is_told() -> None:
    trials = [trial(index, noise(index + 1)) for index in range(12)]
    selection = choose(trials)
    assert [step["members"] for step in selection.path][:4] == [1, 2, 3, 4]
    scores = [step["score"] for step in selection.path]
    assert scores[0] == pytest.approx(min(each.score for each in trials))
    assert scores == sorted(scores, reverse=True)
    assert selection.path[1]["microseconds"] == 2 * selection.path[0]["microseconds"]
    assert len(selection.weights) in [step["members"] for step in selection.path]


def test_the_latency_limit_leaves_out_slow_models_or_takes_the_fastest() -> None:
    slow, slower = trial(0, noise(1), microseconds=300.0), trial(1, noise(2, 0.1), microseconds=900.0)
    assert admissible([slower, slow], 0.5) == [slow]
    assert admissible([slower, slow], 0.1) == [slow]
    assert admissible([slower, slow], None) == [slower, slow]


def test_trials_without_a_score_are_not_ranked() -> None:
    failed = Trial(5, "t5", find_algorithm("decision_tree"), {}, status=FAILED)
    unknown = trial(6, noise(1))
    unknown.score = float("nan")
    good, better = trial(0, noise(1, 0.5)), trial(1, noise(2, 0.4))
    assert rank_trials([failed, good, unknown, better], RMSE) == [better, good]
    assert select([failed]) == {}


def test_probabilities_are_mixed_by_weight() -> None:
    mixed = mix({"a": np.array([[1.0, 0.0]]), "b": np.array([[0.0, 1.0]])}, {"a": 0.75, "b": 0.25})
    assert mixed.tolist() == [[0.75, 0.25]]
