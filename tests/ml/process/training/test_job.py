from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.ml.adapters.forms import form_arrays, form_predict
from headrace.ml.contract import Task
from headrace.ml.errors import OptionError
from headrace.ml.metrics import find_metric
from headrace.ml.process.business_problem import Charter
from headrace.ml.process.training import Training, train_models
from headrace.ml.process.training.job import train


def run(case, workers, workspace: Path, progress, *, trials: int | None = 4, seed: int = 1) -> Training:
    return train(
        case.preparation, case.framing, case.business, case.engineering,
        seed=seed, trials=trials, workspace=workspace, progress=progress, workers=workers,
    )  # fmt: skip


def predict(training: Training, case) -> np.ndarray:
    preparation, classes = case.preparation, len(case.framing.classes)
    parts = [
        member.weight
        * form_predict(member.form, training.plan.transform(preparation.frame[preparation.test], member.view), classes)
        for member in training.members
    ]
    return np.sum(parts, axis=0)


SHORTLISTS = {
    Task.BINARY: ("linear_logistic", "decision_tree"),
    Task.MULTICLASS: ("linear_logistic", "naive_bayes"),
    Task.REGRESSION: ("linear_square", "decision_tree"),
}


@pytest.mark.parametrize("task", list(SHORTLISTS))
@pytest.mark.parametrize("folds", [3, 1])
def test_training_gives_a_model_better_than_the_baseline(make_case, workers, workspace, progress_at, task, folds):
    case = make_case(task, shortlist=SHORTLISTS[task], folds=folds)
    training = run(case, workers, workspace, progress_at(budget=None), trials=3)
    preparation, metric = case.preparation, find_metric(case.framing.metric, task)
    sign = 1 if metric.greater_is_better else -1
    test_target = preparation.target[preparation.test]
    baseline = training.candidates[0]
    assert baseline.name == "baseline"
    assert sign * metric.score(test_target, predict(training, case), 0.5) > sign * baseline.score
    assert len(training.candidates) == 4
    assert sum(member.weight for member in training.members) == pytest.approx(1.0)
    assert training.refitted
    assert training.held_out.shape == training.baseline_held_out.shape
    assert len(training.held_out) == len(training.held_out_rows)
    assert len(training.in_sample) == len(preparation.train)
    assert np.isfinite(training.in_sample).all()
    assert [point["rows"] for point in training.learning_curve] == sorted(p["rows"] for p in training.learning_curve)
    assert training.bias_variance["resamples"] == 6
    names = {candidate.name: candidate for candidate in training.candidates}
    for member in training.members:
        assert names[member.candidate].in_sample is not None
        assert names[member.candidate].held_out is not None


def test_a_number_of_trials_repeats_exactly_in_another_workspace(make_case, progress_at, tmp_path) -> None:
    case = make_case(shortlist=("linear_logistic", "gradient_boosting_lightgbm"), rows=250)
    first, second = (
        train_models(
            case.preparation, case.framing, case.business, case.engineering,
            seed=5, trials=8, workspace=tmp_path / name, progress=progress_at(budget=None),
        )
        for name in ("one", "two")
    )  # fmt: skip
    assert [(c.name, c.score, c.status, c.hyperparameters) for c in first.candidates] == [
        (c.name, c.score, c.status, c.hyperparameters) for c in second.candidates
    ]
    assert np.array_equal(first.held_out, second.held_out)
    assert np.array_equal(first.in_sample, second.in_sample)
    assert first.bias_variance == second.bias_variance
    for one, two in zip(first.members, second.members, strict=True):
        assert (one.candidate, one.weight) == (two.candidate, two.weight)
        arrays = form_arrays(two.form)
        assert all(np.array_equal(value, arrays[key]) for key, value in form_arrays(one.form).items())


def test_another_seed_is_another_run(make_case, workers, workspace, progress_at) -> None:
    case = make_case(shortlist=("extra_trees",))
    first = run(case, workers, workspace, progress_at(budget=None), seed=1, trials=1)
    second = run(case, workers, workspace, progress_at(budget=None), seed=2, trials=1)
    assert first.candidates[1].score != second.candidates[1].score


def test_where_no_time_is_left_the_baseline_is_the_model(make_case, workers, workspace, progress_at) -> None:
    case = make_case(Task.REGRESSION, shortlist=("linear_square",))
    training = run(case, workers, workspace, progress_at(budget=20.0, now=25.0), trials=None)
    assert [member.candidate for member in training.members] == ["baseline"]
    assert any("the baseline is the model" in note for note in training.notes)
    values = predict(training, case)
    assert np.allclose(values, values[0])
    assert np.array_equal(training.held_out, training.baseline_held_out)


def test_where_every_fit_fails_the_baseline_is_the_model_and_the_reason_is_said(make_case, progress_at, tmp_path):
    case = make_case()
    (tmp_path / "fits").write_text("in the way of every result")
    training = train_models(
        case.preparation, case.framing, case.business, case.engineering,
        seed=0, trials=2, workspace=tmp_path, progress=progress_at(budget=None),
    )  # fmt: skip
    assert [member.candidate for member in training.members] == ["baseline"]
    assert [candidate.status for candidate in training.candidates] == ["fitted", "failed", "failed"]
    assert any("no candidate could be fitted" in note and "Error" in note for note in training.notes)
    assert predict(training, case).shape == (60, 2)


def test_required_interpretability_gives_one_readable_model(make_case, workers, workspace, progress_at) -> None:
    shortlist = ("gradient_boosting_lightgbm", "linear_logistic", "decision_tree")
    case = make_case(shortlist=shortlist, charter=Charter(interpretability="required"))
    training = run(case, workers, workspace, progress_at(budget=None))
    assert len(training.members) == 1
    assert {candidate.algorithm for candidate in training.candidates} <= {
        "baseline",
        "linear_logistic",
        "decision_tree",
    }


def test_a_latency_no_model_keeps_gives_the_fastest(make_case, workers, workspace, progress_at) -> None:
    case = make_case(charter=Charter(latency_limit_ms=1e-6))
    training = run(case, workers, workspace, progress_at(budget=None))
    quickest = min(
        c.predict_microseconds for c in training.candidates if c.status == "fitted" and c.predict_microseconds
    )
    chosen = {candidate.name: candidate for candidate in training.candidates}[training.members[0].candidate]
    assert chosen.predict_microseconds == quickest


def test_progress_tells_what_is_done_and_the_best_score(make_case, workers, workspace, progress_at) -> None:
    progress = progress_at(budget=None)
    heard = []
    progress.listener = heard.append
    run(make_case(), workers, workspace, progress)
    assert any(moment.best.startswith("ROC AUC 0.") for moment in heard)
    assert any("training and validation part" in moment.doing for moment in heard)


def test_twenty_rows_are_enough(make_case, workers, workspace, progress_at) -> None:
    case = make_case(rows=20, folds=14)
    training = run(case, workers, workspace, progress_at(budget=None), trials=2)
    assert training.members
    assert np.isfinite(training.held_out).all()


def test_no_trials_at_all_are_refused(make_case, workers, workspace, progress_at) -> None:
    with pytest.raises(OptionError, match="at least 1, not 0"):
        run(make_case(), workers, workspace, progress_at(budget=None), trials=0)
