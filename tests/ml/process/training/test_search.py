from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.process.training.limits import Limits
from headrace.ml.process.training.search import LAG, Race, most_trials
from headrace.ml.process.training.timetable import Timetable
from headrace.ml.process.training.trial import FITTED, OPEN, PRUNED, STOPPED

NAMES = ("linear_logistic", "decision_tree", "naive_bayes")


@pytest.fixture(scope="module")
def finished(make_case, workers, workspace, progress_at):
    setting = make_case().setting(workers, workspace, NAMES)
    progress = progress_at(budget=None)
    race = Race(setting, trials=10, progress=progress)
    race.run()
    return race


def test_exactly_so_many_trials_are_run_and_all_are_closed(finished) -> None:
    assert [trial.index for trial in finished.trials] == list(range(10))
    assert {trial.status for trial in finished.trials} <= {FITTED, PRUNED}
    assert len({trial.name for trial in finished.trials}) == 10
    assert finished.trials[0].name == "linear_logistic-1"


def test_a_fitted_trial_is_scored_on_all_held_rows(finished) -> None:
    setting = finished.setting
    for trial in finished.trials:
        if trial.status == FITTED:
            assert trial.held_out.shape == (len(setting.held_rows), 2)
            assert trial.score == setting.metric.score(setting.held_target, trial.held_out, 0.5)
            assert len(trial.fold_scores()) == 3
        else:
            assert len(trial.fold_scores()) == 1
            assert "clearly worse on the first fold" in trial.reason
    assert finished.best().score == max(trial.score for trial in finished.trials if trial.score is not None)


def test_no_prediction_comes_from_a_model_that_saw_the_row(finished) -> None:
    for fold in finished.setting.folds:
        assert not np.isin(fold.held, fold.fit).any()


def test_only_a_worse_first_fold_than_an_earlier_trials_is_given_up(finished) -> None:
    for trial in finished.trials:
        if trial.status == PRUNED:
            earlier = [each for each in finished.trials[: trial.index - LAG + 1] if each.status == FITTED]
            assert max(each.fold_scores()[0] for each in earlier) > trial.fold_scores()[0]


def test_the_same_search_repeats_from_what_is_on_disk_without_fitting(finished, progress_at) -> None:
    fits = finished.setting.workspace / "fits"
    before = {path: path.stat().st_mtime_ns for path in fits.glob("*/result.json")}
    setting = finished.setting
    setting.folds.clear()
    again = Race(setting, trials=10, progress=progress_at(budget=None))
    again.run()
    assert {path: path.stat().st_mtime_ns for path in fits.glob("*/result.json")} == before
    assert [(t.name, t.score, t.status) for t in again.trials] == [(t.name, t.score, t.status) for t in finished.trials]


def test_when_time_is_up_open_trials_are_stopped_and_one_model_is_there(make_case, workers, workspace, progress_at):
    progress = progress_at(budget=100.0, now=0.0)
    timetable = Timetable(progress, 2)
    setting = make_case(rows=320).setting(workers, workspace, NAMES, timetable=timetable)
    progress.now = 91.5
    race = Race(setting, trials=None, progress=progress)
    race.run()
    statuses = [trial.status for trial in race.trials]
    assert FITTED in statuses
    assert set(statuses) <= {FITTED, PRUNED, STOPPED}
    assert len(statuses) < 15
    assert race.final is not None


@pytest.mark.parametrize("others_score", [0.1, None])
def test_a_clearly_best_trial_counts_with_the_folds_that_it_ended(
    make_case, workers, workspace, progress_at, others_score: float | None
) -> None:
    setting = make_case(rows=350).setting(workers, workspace, NAMES)
    race = Race(setting, trials=2, progress=progress_at(budget=None))
    race.run()
    best = max(race.trials, key=lambda trial: trial.fold_scores()[0])
    other = next(trial for trial in race.trials if trial is not best)
    other.status, first = FITTED, best.results[0]["score"]
    for fold, result in other.results.items():
        result["score"] = (others_score or first) + 0.01 * fold
    best.status, best.score, best.results = OPEN, None, {fold: best.results[fold] for fold in (0, 1)}
    race._stop()
    if others_score is None:
        assert (setting.fold_count, best.status) == (3, STOPPED)
        return
    assert setting.fold_count == 2
    assert best.status == FITTED
    assert len(best.held_out) == len(setting.held_rows) < len(setting.preparation.train)
    assert best.score == setting.metric.score(setting.held_target, best.held_out, 0.5)
    assert len(other.held_out) == len(best.held_out)


def test_nothing_is_tried_when_no_time_is_left_at_all(make_case, workers, workspace, progress_at) -> None:
    timetable = Timetable(progress_at(budget=10.0, now=15.0), 2)
    race = Race(
        make_case(rows=330).setting(workers, workspace, NAMES, timetable=timetable),
        trials=None,
        progress=timetable.progress,
    )
    assert race.run() == []
    assert race.best() is None


def test_a_sample_and_what_is_too_slow_are_said(make_case, workers, workspace, progress_at) -> None:
    case = make_case(Task.REGRESSION, rows=8000, folds=1)
    limits = Limits(rows=None, folds=1, fit_seconds=0.6)
    setting = case.setting(workers, workspace, ("linear_square", "random_forest", "decision_tree"), limits=limits)
    race = Race(setting, trials=3, progress=progress_at(budget=None))
    race.run()
    by_name = {trial.algorithm.name: trial for trial in race.trials}
    assert "sample of" not in by_name["decision_tree"].reason
    assert "fitted on a sample of" in by_name["random_forest"].reason
    too_slow = Limits(rows=None, folds=1, fit_seconds=0.01)
    race = Race(
        case.setting(workers, workspace, ("random_forest",), limits=too_slow),
        trials=1,
        progress=progress_at(budget=None),
    )
    race.run()
    assert race.trials[0].status == STOPPED
    assert "longer than the budget allows" in race.trials[0].reason


def test_a_search_in_which_nothing_gets_better_ends_before_its_time(
    make_case, workers, workspace, progress_at, monkeypatch
) -> None:
    monkeypatch.setattr("headrace.ml.process.training.search.PATIENCE", 3)
    setting = make_case(rows=360).setting(workers, workspace, NAMES)
    race = Race(setting, trials=None, progress=progress_at(budget=None))
    race.run()
    scores = [-np.inf if trial.score is None else trial.score for trial in race.trials]
    best = int(np.argmax(scores))
    assert best + 3 < len(scores) <= best + 4 + LAG
    setting.folds.clear()
    exact = Race(setting, trials=len(scores) + 2, progress=progress_at(budget=None))
    exact.run()
    assert len(exact.trials) == len(scores) + 2


@pytest.mark.parametrize(
    ("rows", "trials", "most"), [(20, None, 15), (5_000, None, 150), (20, 40, 40), (300, None, 60)]
)
def test_few_rows_bear_few_trials(rows: int, trials: int | None, most: int) -> None:
    assert most_trials(rows, trials) == most
