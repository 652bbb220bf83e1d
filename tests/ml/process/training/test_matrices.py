from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.ml.contract import Task, View
from headrace.ml.errors import OutputError
from headrace.ml.process.training.matrices import sample_rows, sampling_order, write_matrices


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200), st.integers(0, 5), st.data())
def test_every_beginning_of_the_order_is_a_stratified_sample(codes: list[int], seed: int, data: st.DataObject) -> None:
    target = np.array(codes)
    order = sampling_order(target, classes=4, seed=seed)
    assert sorted(order.tolist()) == list(range(len(codes)))
    size = data.draw(st.integers(len(set(codes)), len(codes)))
    sample = target[order[:size]]
    assert set(sample.tolist()) == set(codes)
    for code in set(codes):
        assert abs((sample == code).sum() - size * codes.count(code) / len(codes)) <= len(set(codes)) + 1


def test_values_are_sampled_in_a_random_order_of_the_seed() -> None:
    target = np.linspace(0, 1, 50)
    order = sampling_order(target, classes=0, seed=1)
    assert order.tolist() == sampling_order(target, classes=0, seed=1).tolist()
    assert order.tolist() != sampling_order(target, classes=0, seed=2).tolist()
    assert sorted(order.tolist()) == list(range(50))


def test_sampled_rows_keep_their_order_and_small_parts_stay_whole() -> None:
    target = np.array([0, 1] * 50)
    rows = np.arange(10, 90)
    sample = sample_rows(rows, target, 20, classes=2, seed=0)
    assert len(sample) == 20
    assert (np.diff(sample) > 0).all()
    assert np.isin(sample, rows).all()
    assert target[sample].sum() == 10
    assert sample_rows(rows, target, None, classes=2, seed=0) is rows
    assert sample_rows(rows, target, 80, classes=2, seed=0) is rows


def write(case, folder, seed: int = 0):
    fit, scored = case.preparation.folds[0]
    return write_matrices(
        folder,
        case.preparation,
        case.engineering,
        fit=fit,
        scored=scored,
        validation=case.preparation.validation,
        views=(View.SCALED, View.TREES),
        classes=2,
        seed=seed,
    )


def test_matrices_are_written_as_float32_and_named_by_their_content(make_case, tmp_path) -> None:
    case = make_case()
    written = write(case, tmp_path)
    folder = tmp_path / "data" / written.name
    fit = np.load(folder / "trees-fit.npy", mmap_mode="r")
    assert fit.dtype == np.float32
    assert fit.shape == (len(written.fit), written.columns[View.TREES])
    held = np.load(folder / "scaled-held.npy")
    assert held.shape == (len(written.held), written.columns[View.SCALED])
    expected = written.plan.transform(case.preparation.frame[written.held], View.SCALED)
    assert np.array_equal(held, expected)
    assert written.held[written.scored].tolist() == case.preparation.folds[0][1].tolist()
    assert np.load(folder / "held-target.npy").tolist() == case.preparation.target[written.held].tolist()
    assert write(case, tmp_path).name == written.name
    assert [path.name for path in (tmp_path / "data").iterdir()] == [written.name]
    assert write(make_case(rows=310), tmp_path).name != written.name


def test_the_final_matrices_hold_no_rows_to_predict(make_case, workers, tmp_path) -> None:
    case = make_case(Task.REGRESSION)
    final = case.setting(workers, tmp_path, ("decision_tree",)).prepare_final()
    assert len(final.held) == len(final.scored) == 0
    assert len(final.fit) == len(case.preparation.train) + len(case.preparation.validation)
    held = np.load(tmp_path / "data" / final.name / "trees-held.npy")
    assert held.shape == (0, final.columns[View.TREES])


def test_a_folder_that_cannot_be_written_is_said(make_case, tmp_path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written to"):
        write(make_case(), tmp_path)
