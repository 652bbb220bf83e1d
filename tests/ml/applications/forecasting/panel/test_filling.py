"""Every rule for gaps at every place, against values worked out by hand."""

import numpy as np
import pytest

from headrace.ml.applications.forecasting.panel.filling import Grid

NAN = np.nan
# item 0: front 1, known 4 and 10 around a gap of two, back 1, horizon 1; item 1: nothing known; item 2: all known
VALUES = np.array([NAN, 4.0, NAN, NAN, 10.0, NAN, NAN, NAN, NAN, 7.0, 8.0])
OFFSETS = np.array([0, 7, 9, 11])
HISTORY = np.array([6, 1, 1])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("none", NAN),
        ("nan", NAN),
        ("zero", 0.0),
        (2.5, 2.5),
        ("mean", 7.0),
        ("median", 7.0),
        ("min", 4.0),
        ("max", 10.0),
        ("previous", [4.0, 4.0, 4.0, 10.0, 10.0]),
        ("interpolate", [4.0, 6.0, 8.0, 10.0, 10.0]),
    ],
)
def test_each_rule_at_each_place(rule, expected):
    grid = Grid(OFFSETS, VALUES, HISTORY)
    at = {"front": [0], "middle": [2, 3], "back": [5], "future": [6]}
    wanted = np.broadcast_to(expected, 5)
    for place, positions in at.items():
        filled = grid.filled({place: rule})
        order = [[0, 2, 3, 5, 6].index(position) for position in positions]
        np.testing.assert_array_equal(filled[positions], wanted[order])
        others = [i for i in range(7) if i not in positions]
        np.testing.assert_array_equal(filled[others], VALUES[others])
        np.testing.assert_array_equal(filled[9:], VALUES[9:])


def test_nothing_known_is_filled_with_numbers_alone():
    grid = Grid(OFFSETS, VALUES, HISTORY)
    assert np.isnan(grid.filled(dict.fromkeys(("front", "middle", "back", "future"), "mean"))[7:9]).all()
    assert grid.filled({"front": "zero", "future": "zero"})[7:9].tolist() == [0.0, 0.0]
    empty = Grid(np.array([0, 2]), np.array([NAN, NAN]))
    assert np.isnan(empty.filled({"front": "previous"})).all()
