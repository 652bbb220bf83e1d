from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.adapters.forms import form_predict
from headrace.ml.adapters.linear import Linear
from headrace.ml.adapters.renumbering import renumbered
from headrace.ml.algorithms import find_algorithm
from headrace.ml.contract import Task
from headrace.ml.errors import ModelError

RANDOM = np.random.default_rng(0)
MATRIX = RANDOM.normal(size=(120, 6)).astype(np.float32)
PLACES = np.array([1, 2, 5])
QUICK = {
    "gradient_boosting_lightgbm": {"num_iterations": 5, "min_data_in_leaf": 5},
    "gradient_boosting_xgboost": {"num_iterations": 5},
    "gradient_boosting_catboost": {"iterations": 5, "depth": 3},
}


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("present", [(0, 1, 2), (0, 2)])
def test_trees_of_some_columns_answer_the_same_from_all(name: str, present: tuple[int, ...]) -> None:
    target = np.array(present)[
        np.searchsorted([0.0], MATRIX[:, 5]) if len(present) == 2 else RANDOM.integers(0, 3, 120)
    ]
    algorithm = find_algorithm(name)(Task.MULTICLASS, 3, **QUICK[name])
    fitted = algorithm.fit(np.ascontiguousarray(MATRIX[:, PLACES]), target)
    found = form_predict(renumbered(fitted.form, PLACES), MATRIX, 3)
    assert np.allclose(found, fitted.predict(MATRIX[:, PLACES]), atol=1e-5)


def test_a_constant_reads_nothing_and_stays() -> None:
    algorithm = find_algorithm("gradient_boosting_lightgbm")(Task.REGRESSION)
    form = algorithm.fit(MATRIX[:, PLACES], np.full(120, 2.0)).form
    assert renumbered(form, PLACES) is form


def test_what_is_not_trees_is_refused() -> None:
    with pytest.raises(ModelError, match="form Linear"):
        renumbered(Linear(np.ones((3, 1)), np.zeros(1), "identity"), PLACES)
