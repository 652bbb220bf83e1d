"""Forms are saved as plain arrays, loaded strictly, and run in blocks."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from headrace.ml.adapters import forms
from headrace.ml.adapters.constant import Constant
from headrace.ml.adapters.forms import form_arrays, form_of_arrays, form_predict, form_predictor, load_form, save_form
from headrace.ml.adapters.linear import Linear
from headrace.ml.adapters.present_classes import PresentClasses
from headrace.ml.contract import Form
from headrace.ml.errors import ModelError, OutputError


def linear() -> Linear:
    return Linear(np.array([[1.0], [-2.0]]), np.array([0.5]), "identity")


def test_every_form_of_the_registry_exists() -> None:
    import importlib

    for kind, module in forms.FORMS.items():
        assert issubclass(getattr(importlib.import_module(f"headrace.ml.adapters.{module}"), kind), Form)


def test_a_form_within_a_form_is_saved(tmp_path: Path) -> None:
    form = PresentClasses(Constant(np.array([0.25, 0.75])), np.array([0, 2]), 4)
    save_form(form, tmp_path / "model.npz")
    loaded = load_form(tmp_path / "model.npz")
    assert isinstance(loaded, PresentClasses)
    assert loaded.classes == 4
    assert isinstance(loaded.inner, Constant)
    assert form_predict(loaded, np.zeros((2, 1), np.float32), 4).tolist() == [[0.25, 0, 0.75, 0]] * 2


def test_saving_leaves_no_other_file_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    path.write_text("old")
    save_form(linear(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.npz"]
    assert isinstance(load_form(path), Linear)


def test_saving_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        save_form(linear(), tmp_path / "absent" / "model.npz")


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04 broken"])
def test_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.npz"):
        load_form(path)


def test_damage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    save_form(linear(), path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="damaged"):
        load_form(path)


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no saved model"):
        load_form(tmp_path / "model.npz")


def test_a_plain_array_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    np.save(path.with_suffix(".npy"), np.zeros(3))
    path.with_suffix(".npy").rename(path)
    with pytest.raises(ModelError):
        load_form(path)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("form.npy", stream.getvalue())
    with pytest.raises(ModelError, match="not a model"):
        load_form(path)


def test_unknown_form_and_absent_part() -> None:
    with pytest.raises(ModelError, match="'Future'"):
        form_of_arrays({"form": np.array("Future")})
    arrays = form_arrays(linear())
    del arrays["intercepts"]
    with pytest.raises(ModelError, match="'intercepts'"):
        form_of_arrays(arrays)


def test_rows_go_through_in_blocks() -> None:
    rows = np.random.default_rng(0).normal(size=(2 * forms.ROWS_A_BLOCK + 3, 2)).astype(np.float32)
    predicted = form_predictor(linear(), 2)(rows)
    assert predicted.shape == (len(rows), 1)
    assert np.allclose(predicted[:, 0], linear().predict(rows), atol=1e-5)
    assert form_predict(linear(), rows[:0]).shape == (0,)
