"""The gate: a model whose two executions disagree is refused, and the place is named."""

import numpy as np
import pytest

from headrace.ml.compiler import check_parity, compile_model
from headrace.ml.contract import Task
from headrace.ml.errors import ParityError
from headrace.ml.prediction.model import Model


def served(plan, models, task, classes, manifest, folder):
    proto = compile_model(plan, models, task, classes)
    return Model(manifest(proto, plan, task, classes), proto.SerializeToString(), folder)


@pytest.mark.parametrize(
    ("task", "classes"),
    [(Task.BINARY, ("no", "yes")), (Task.MULTICLASS, ("a", "b", "c")), (Task.REGRESSION, ())],
)
def test_two_executions_that_agree_pass(small_plan, members, frame, manifest, tmp_path, task, classes):
    plan, models = small_plan(), members(len(classes))
    model = served(plan, models, task, classes, manifest, tmp_path)
    assert check_parity(model, plan, models, frame) < 1e-5


def test_a_plan_that_serves_something_else_is_refused_with_row_and_feature(
    small_plan, members, frame, manifest, tmp_path
):
    models = members(2)
    model = served(small_plan(off=0.5), models, Task.BINARY, ("no", "yes"), manifest, tmp_path)
    with pytest.raises(ParityError, match=r"differs from training by 0\.\d+ \(more than 1e-05\) in row \d.*not saved"):
        check_parity(model, small_plan(), models, frame)
    with pytest.raises(ParityError, match=r"where feature 'plan' is 0\.5 instead of 0 in row 1"):
        plan = small_plan(off=0.5)
        check_parity(served(plan, models, Task.BINARY, ("no", "yes"), manifest, tmp_path), plan, models, frame)


def test_predictions_that_are_not_finite_are_refused(small_plan, members, frame, manifest, tmp_path):
    models = members(0)
    broken = [type(m)(m.weight, m.view, type(m.form)(m.form.weights * np.inf, False)) for m in models]
    plan = small_plan()
    with pytest.raises(ParityError, match="differs from training by inf"):
        check_parity(served(plan, broken, Task.REGRESSION, (), manifest, tmp_path), plan, broken, frame)


def test_regression_differences_count_relative_to_the_values(small_plan, members, frame, manifest, tmp_path):
    plan, models = small_plan(), members(0)
    tiny = [type(m)(m.weight, m.view, type(m.form)(m.form.weights * 1e-9, False)) for m in models]
    model = served(plan, tiny, Task.REGRESSION, (), manifest, tmp_path)
    off = [type(m)(m.weight, m.view, type(m.form)(m.form.weights * 1.01, False)) for m in tiny]
    assert check_parity(model, plan, tiny, frame) < 1e-5
    with pytest.raises(ParityError):
        check_parity(model, plan, off, frame)


def test_no_rows_differ_by_nothing(small_plan, members, frame, manifest, tmp_path):
    plan, models = small_plan(), members(2)
    model = served(plan, models, Task.BINARY, ("no", "yes"), manifest, tmp_path)
    assert check_parity(model, plan, models, frame.clear()) == 0.0
