"""Assignments are done here or in processes of their own, and stopped when their time is up."""

import time

import numpy as np
import pytest

from headrace.ml.applications.forecasting.predictor.assignments import Assignment
from headrace.ml.applications.forecasting.predictor.panel_files import read_panel_files, write_panel
from headrace.ml.applications.forecasting.predictor.workers import STOPPED, Workers

LEVELS = (0.1, 0.5, 0.9)


def naive(*items, model="naive"):
    return Assignment(model, items, (0,), 4, LEVELS, keep=True)


def answers(panel, assignments, *, count, until=None):
    found = []
    with Workers(panel, count=count) as workers:
        workers.run(assignments, found.append, until=until)
    return found


def test_a_process_answers_as_this_one_does_and_survives_an_error(make_panel):
    panel = make_panel()
    asked = [naive(0, 1), naive(2, model="unknown"), naive(3)]
    here, there = answers(panel, asked, count=0), answers(panel, asked, count=1)
    assert [bool(answer.error) for answer in there] == [False, True, False]
    for one, other in zip(here, there, strict=True):
        assert one.error == other.error
        assert one.state.keys() == other.state.keys()
        for mine, theirs in zip(one.forecasts, other.forecasts, strict=True):
            assert np.array_equal(mine.values, theirs.values)


@pytest.mark.parametrize("count", [0, 1])
def test_what_is_late_is_stopped(make_panel, count):
    found = answers(make_panel(), [naive(0), naive(1)], count=count, until=time.monotonic() - 1)
    assert [answer.error for answer in found] == [STOPPED, STOPPED]


def test_a_panel_comes_back_from_its_files(make_panel, tmp_path):
    panel = make_panel(cold=True)
    write_panel(panel, tmp_path / "panel")
    again = read_panel_files(tmp_path / "panel")
    assert again.items == panel.items
    assert again.metadata == panel.metadata
    assert again.frequency == panel.frequency
    assert np.array_equal(again.values, panel.values)
    assert np.array_equal(again.ends, panel.ends)
