"""Random cut forests are saved as plain arrays, and damaged ones are refused before compiled code reads them."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.ml.adapters.constant import Constant
from headrace.ml.adapters.cut_forest import CutForest
from headrace.ml.adapters.forms import form_predict, save_form
from headrace.ml.algorithms.random_cut_forest import Forest
from headrace.ml.errors import ModelError

ROWS = np.round(np.random.default_rng(0).normal(size=(400, 2)), 1)  # rounded, so that some are alike


def grown(**settings: Any) -> Forest:
    forest = Forest(2, num_trees=4, num_samples_per_tree=16, seed=3, **settings)
    forest.update(ROWS[:200])
    return forest


@pytest.mark.parametrize("shingle_size", [1, 3])
@pytest.mark.parametrize("learnt", [0, 1, 7, 200])
def test_a_loaded_forest_goes_on_as_if_never_saved(tmp_path: Path, shingle_size: int, learnt: int) -> None:
    forest = Forest(2, num_trees=4, num_samples_per_tree=16, seed=3, shingle_size=shingle_size)
    forest.update(ROWS[:learnt])
    forest.save(tmp_path / "forest.npz")
    loaded = Forest.load(tmp_path / "forest.npz")
    assert (loaded.rows, loaded.dimensions, loaded.shingle_size) == (learnt, 2, shingle_size)
    assert np.array_equal(forest.score_and_update(ROWS), loaded.score_and_update(ROWS))
    forest.save(tmp_path / "one.npz")
    loaded.save(tmp_path / "two.npz")
    assert np.array_equal(Forest.load(tmp_path / "one.npz").score(ROWS), Forest.load(tmp_path / "two.npz").score(ROWS))


def test_no_pickle_is_in_the_file(tmp_path: Path) -> None:
    grown().save(tmp_path / "forest.npz")
    with np.load(tmp_path / "forest.npz", allow_pickle=False) as arrays:
        assert {arrays[name].dtype.kind for name in arrays.files} <= set("Uiuf")


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no saved model"):
        Forest.load(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(ModelError, match="not a model saved by headrace"):
        Forest.load(tmp_path / "text.npz")
    save_form(Constant(np.array([1.0])), tmp_path / "other.npz")
    with pytest.raises(ModelError, match="holds a Constant"):
        Forest.load(tmp_path / "other.npz")


def test_onnx_scores_what_the_forest_scores_as_it_stands() -> None:
    forest = grown()
    form = forest.form()
    random = np.random.default_rng(3)
    near, far = random.normal(size=(20, form.points.shape[1])), random.normal(size=(20, form.points.shape[1])) * 20
    points = np.concatenate([near, far, form.points[:5]]).astype(np.float32)
    compiled = form_predict(form, points, 0)
    assert np.allclose(compiled, forest.score(points), rtol=1e-4)


def changed(array: Any, place: Any, value: Any) -> Any:
    copy = array.copy()
    copy[place] = value
    return copy


def swapped(array: Any) -> Any:
    return array[::-1].copy()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("left", lambda array: changed(array, 0, 10**6)),
        ("left", lambda array: changed(array, 0, -5)),
        ("left", lambda array: changed(array, slice(None), 0)),
        ("left", lambda array: changed(array, array.argmax(), -1)),
        ("left", lambda array: array.astype(np.float32)),
        ("right", swapped),
        ("right", lambda array: changed(array, slice(0, 3), array[3])),
        ("roots", lambda array: changed(array, 0, -1)),
        ("roots", lambda array: changed(array, 0, array[1])),
        ("dimension", lambda array: changed(array, 1, 2)),
        ("dimension", lambda array: changed(array, 1, -1)),
        ("cut", lambda array: changed(array, 0, np.nan)),
        ("points", lambda array: array[:-1]),
        ("points", lambda array: array[:, :1]),
        ("points", lambda array: changed(array, (0, 0), np.inf)),
        ("leaf_point", lambda array: changed(array, 0, len(array))),
        ("leaf_point", lambda array: np.full_like(array, -1)),
        ("sampled", lambda array: changed(array, (0, 0), 0)),
        ("sampled", lambda array: changed(array, (0, 0), array[1, 0])),
        ("sampled", lambda array: changed(array, (0, 0), -1)),
        ("sampled", lambda array: array[0]),
        ("sampled", lambda array: np.empty((0, 16), np.int32)),
        ("weights", lambda array: changed(array, (0, 0), np.nan)),
        ("weights", lambda array: array[:, 1:]),
        ("shingle", lambda array: array[1:]),
        ("random", lambda array: array.astype(np.int64)),
        ("shingle_size", lambda _: 3),
        ("shingle_size", lambda _: 0),
        ("seen", lambda _: -1),
        ("time_decay", lambda _: float("nan")),
        ("initial_accept_fraction", lambda _: 0.0),
        ("rows", lambda _: "many"),
    ],
)
def test_damaged_forests_are_refused(name: str, change: Any) -> None:
    form = grown().form()
    with pytest.raises(ModelError, match=f"damaged|lacks|'{name}'"):
        Forest.of(replace(form, **{name: change(getattr(form, name))}))


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from([field.name for field in fields(CutForest) if field.type.startswith("NDArray")]),
    place=st.integers(0, 10**6),
    value=st.integers(-2, 130),
)
def test_whatever_is_changed_is_refused_or_runs(name: str, place: int, value: int) -> None:
    form = grown().form()
    array = getattr(form, name).copy()
    array.flat[place % array.size] = max(value, 0) if array.dtype.kind == "u" else value
    try:
        forest = Forest.of(replace(form, **{name: array}))
    except ModelError:
        return
    assert np.isfinite(forest.score_and_update(ROWS)).all()
    Forest.of(forest.form())
