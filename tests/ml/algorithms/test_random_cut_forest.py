"""Random cut forest: scores against AWS's own code, streaming, determinism, bad input."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import krcf
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from headrace.ml.algorithms.random_cut_forest import Forest, RandomCutForest
from headrace.ml.checks import (
    check_bad_hyperparameters,
    check_declaration,
    check_determinism,
    check_save_load,
    check_threads,
    made,
    rows_for,
)
from headrace.ml.contract import Task
from headrace.ml.errors import DataError, HyperparameterError, InputError

Rows = NDArray[np.float64]
COUNT = 700


def spikes(random: np.random.Generator) -> tuple[Rows, int]:
    rows = random.normal(size=(COUNT, 2))
    rows[random.choice(COUNT, 10)] += 8
    return rows, 1


def level_shifts(random: np.random.Generator) -> tuple[Rows, int]:
    rows = random.normal(size=(COUNT, 1)) * 0.3
    rows[300:] += 4
    rows[550:] -= 7
    return rows, 1


def shingled_sines(random: np.random.Generator) -> tuple[Rows, int]:
    time = np.arange(COUNT)
    rows = np.sin(time / 8) + random.normal(size=COUNT) * (0.02 + 0.25 * np.sin(time / 60) ** 2)
    rows[400:410] = 0
    rows[550] += 3
    return rows[:, None], 16


def wide_gaussians(random: np.random.Generator) -> tuple[Rows, int]:
    return random.normal(size=(COUNT, 30)) * np.exp(random.normal(size=(COUNT, 1)) * 0.3), 1


def aws_scores(rows: Rows, shingle_size: int, **options: Any) -> Rows:
    forest = krcf.RandomCutForest({"dimensions": rows.shape[1], "shingle_size": shingle_size, **options})
    scores = []
    for row in rows.tolist():
        scores.append(forest.score(row))
        forest.update(row)
    return np.array(scores)


@pytest.mark.parametrize("stream", [spikes, level_shifts, shingled_sines, wide_gaussians])
def test_ranks_rows_as_aws_does(stream: Callable[[np.random.Generator], tuple[Rows, int]]) -> None:
    rows, shingle_size = stream(np.random.default_rng(3))
    theirs = np.mean([aws_scores(rows, shingle_size, random_seed=seed) for seed in range(5)], axis=0)
    ours = np.mean(
        [Forest(rows.shape[1], shingle_size=shingle_size, seed=seed).score_and_update(rows) for seed in range(5)],
        axis=0,
    )
    assert ((ours == 0) == (theirs == 0)).all()  # the same rows come before the first score
    scored = theirs > 0
    assert spearmanr(ours[scored], theirs[scored]).statistic >= 0.95
    assert ours[scored].mean() == pytest.approx(theirs[scored].mean(), rel=0.03)


def test_expected_scores_are_aws_own() -> None:
    """With three points the trees are few, and the mean over 100 forests is sharp."""
    rows = np.random.default_rng(0).normal(size=(12, 2))
    options = {"initial_accept_fraction": 1.0, "output_after": 1}
    theirs = np.array([aws_scores(rows, 1, random_seed=seed, **options) for seed in range(100)])
    ours = np.array([Forest(2, seed=seed, **options).score_and_update(rows) for seed in range(100)])
    assert np.allclose(ours[:, :3], theirs[:, :3], rtol=1e-6)  # nothing of these is left to chance
    error = np.sqrt((theirs.var(axis=0) + ours.var(axis=0)) / 100) + 1e-6
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 5 * error).all()


def test_a_held_point_scores_by_its_leaf() -> None:
    forest = Forest(1, output_after=1, num_trees=3)
    forest.update([[5.0]])
    assert forest.score([[5.0]]).tolist() == [0.5]  # damping 1 - 1/2, depth 0, log2(1 + 1) twice
    assert forest.score([[6.0]]).tolist() == [1.0]
    forest.update([[5.0]] * 7)
    assert forest.score([[5.0]]).tolist() == [0.5]


def test_an_anomaly_stands_out() -> None:
    rows = np.random.default_rng(0).normal(size=(1000, 3))
    rows[900] = 12
    scores = Forest(3).score_and_update(rows)
    assert scores.argmax() == 900
    assert scores[900] > 2 * np.delete(scores, 900)[500:].max()


def test_the_forest_follows_a_level_shift() -> None:
    rows = np.random.default_rng(0).normal(size=(4000, 1))
    rows[1000:] += 50
    scores = Forest(1, num_samples_per_tree=64).score_and_update(rows)
    assert scores[1000] > 2
    assert scores[-1000:].mean() == pytest.approx(scores[500:1000].mean(), rel=0.1)


def test_same_seed_same_scores_however_rows_are_cut_into_calls() -> None:
    rows = np.random.default_rng(0).normal(size=(600, 2))
    whole = Forest(2, shingle_size=4, seed=5).score_and_update(rows)
    parts = Forest(2, shingle_size=4, seed=5)
    assert np.array_equal(whole, np.concatenate([parts.score_and_update(part) for part in np.array_split(rows, 37)]))
    assert not np.array_equal(whole, Forest(2, shingle_size=4, seed=6).score_and_update(rows))


def test_scoring_learns_nothing() -> None:
    random = np.random.default_rng(0)
    one, other = Forest(2, seed=1), Forest(2, seed=1)
    one.update(random.normal(size=(300, 2)))
    other.update(np.random.default_rng(0).normal(size=(300, 2)))
    rows = random.normal(size=(50, 2))
    first = one.score(rows)
    assert np.array_equal(first, one.score(rows))
    assert np.array_equal(one.score_and_update(rows), other.score_and_update(rows))
    assert one.rows == 350


def test_rows_are_shingled_with_those_before() -> None:
    rows = np.random.default_rng(0).normal(size=(400, 2))
    forest = Forest(2, shingle_size=3)
    forest.update(rows)
    following = np.array([[0.5, -0.5]])
    shingle = np.concatenate([rows[-2], rows[-1], following[0]])[None]
    assert np.array_equal(forest.score(following), forest.score(shingle))


def test_scores_are_zero_until_enough_is_learnt() -> None:
    scores = Forest(1, shingle_size=5, output_after=10).score_and_update(np.random.default_rng(0).normal(size=(30, 1)))
    assert np.flatnonzero(scores).min() == 4 + 10


@pytest.mark.parametrize("samples", [1, 2, 3, 2048])
@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_samples_of_any_size(samples: int, decay: float) -> None:
    rows = np.random.default_rng(0).normal(size=(500, 2))
    scores = Forest(2, num_trees=4, num_samples_per_tree=samples, time_decay=decay).score_and_update(rows)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()


def test_constant_and_repeated_rows() -> None:
    rows = np.ones((700, 4))
    rows[300:500, 1] = np.arange(200) % 3
    forest = Forest(4, num_samples_per_tree=32)
    scores = forest.score_and_update(rows)
    assert np.isfinite(scores).all()
    strange, usual = forest.score([[1, 9, 1, 1], [1, 1, 1, 1]])
    assert strange > 2 * usual


def test_neighbouring_floats_and_extremes_are_parted() -> None:
    near = np.nextafter(np.float32(1), np.float32(2))
    rows = np.array([[1.0, 1e-45], [near, 0.0], [1.0, 0.0], [1e30, -1e30], [-1e30, 1e30]] * 60)
    scores = Forest(2, num_samples_per_tree=16, num_trees=5).score_and_update(rows)
    assert np.isfinite(scores).all()


def test_memory_is_bounded() -> None:
    forest = Forest(3, num_trees=5, num_samples_per_tree=20)
    before = sum(array.nbytes for array in forest._state)
    forest.update(np.random.default_rng(0).normal(size=(5000, 3)))
    assert sum(array.nbytes for array in forest._state) == before
    assert len(forest.form().points) <= 5 * 20


def test_threads_share_a_forest() -> None:
    rows = np.random.default_rng(0).normal(size=(2000, 2))
    forest = Forest(2, num_trees=10)
    threads = [threading.Thread(target=forest.score_and_update, args=(part,)) for part in np.array_split(rows, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert forest.rows == 2000
    assert np.isfinite(Forest.of(forest.form()).score(rows)).all()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[1.0, np.nan]], "row 1 has nan in column 2"),
        ([[1.0, 2.0], [np.inf, 1.0]], "row 2 has inf in column 1"),
        ([[1.0, 1e35]], "column 2"),
        ([[1.0]], "with 2 columns"),
        ([1.0, 2.0], r"shape \(2,\)"),
        ([["a", "b"]], "rows of numbers"),
    ],
)
def test_bad_rows_are_refused_and_leave_no_trace(rows: Any, words: str) -> None:
    forest = Forest(2, seed=1)
    good = np.random.default_rng(0).normal(size=(200, 2))
    forest.update(good)
    for attempt in (forest.update, forest.score_and_update):
        with pytest.raises(DataError, match=words):
            attempt(rows)
    with pytest.raises(InputError, match=words):
        forest.score(rows)
    fresh = Forest(2, seed=1)
    fresh.update(good)
    assert np.array_equal(forest.score(good), fresh.score(good))


def test_no_rows_give_no_scores() -> None:
    forest = Forest(2)
    forest.update(np.empty((0, 2)))
    assert forest.score(np.empty((0, 2))).shape == (0,)
    assert forest.score([[1, 2]]).tolist() == [0]


@pytest.mark.parametrize(
    "values",
    [
        {"dimensions": 0},
        {"num_trees": 0},
        {"num_samples_per_tree": 2049},
        {"num_samples_per_tree": 2.5},
        {"shingle_size": 0},
        {"time_decay": -1.0},
        {"time_decay": float("nan")},
        {"initial_accept_fraction": 0.0},
        {"output_after": -1},
        {"seed": -1},
    ],
)
def test_bad_settings_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(HyperparameterError, match=next(iter(values))):
        Forest(**({"dimensions": 2} | values))


def test_a_forest_larger_than_memory_is_refused() -> None:
    with pytest.raises(HyperparameterError, match="takes 2,457,600 GB"):
        Forest(10_000, num_trees=1000, num_samples_per_tree=2048, shingle_size=10_000)


@pytest.mark.parametrize(
    "check", [check_declaration, check_determinism, check_save_load, check_threads, check_bad_hyperparameters]
)
def test_conformance(check: Callable[[type[RandomCutForest], Task], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """What of the conformance suite holds for a task without target and ONNX."""
    from headrace.ml import checks

    def scores(form: Any, features: Any, _classes: int) -> Any:
        return Forest.of(form).score(features)

    monkeypatch.setattr(checks, "form_predict", scores)
    check(RandomCutForest, Task.ANOMALY_DETECTION)


def test_batches_are_sampled_uniformly_and_scored_alike_after_loading() -> None:
    features, _ = rows_for(RandomCutForest, Task.ANOMALY_DETECTION, 3000)
    fitted = made(RandomCutForest, Task.ANOMALY_DETECTION).fit(features)
    form = fitted.form
    kept = np.isin(features[:, 0], form.points[:, 0])  # type: ignore[attr-defined]
    assert 0.35 < np.flatnonzero(kept).mean() / len(features) < 0.65
    assert np.array_equal(Forest.of(form).score(features), fitted.predict(features))  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_rows(count: int) -> None:
    features, _ = rows_for(RandomCutForest, Task.ANOMALY_DETECTION, count)
    scores = made(RandomCutForest, Task.ANOMALY_DETECTION).fit(features).predict(features)
    assert np.isfinite(scores).all()
    assert (scores > 0).all()


def test_fit_refuses_no_rows() -> None:
    for features in (np.empty((0, 3), np.float32), np.empty((3, 0), np.float32), np.zeros(3, np.float32)):
        with pytest.raises(DataError, match="random_cut_forest"):
            made(RandomCutForest, Task.ANOMALY_DETECTION).fit(features)


def test_numba_is_imported_with_the_first_rows_and_needs_no_writable_folder(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom headrace.ml.algorithms.random_cut_forest import Forest\nforest = Forest(1, num_trees=1)\n"
        "print('numba' in sys.modules)\n"
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"  # what numba finds where it may write nowhere
        "from headrace.ml.adapters.compiling import compiled\n"
        "print(compiled(lambda x: x + 1)(1))\n"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["False", "2"]
