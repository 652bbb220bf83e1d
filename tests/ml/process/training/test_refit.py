from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.adapters.forms import form_predict
from headrace.ml.process.training.refit import refit_members
from headrace.ml.process.training.search import Race
from headrace.ml.process.training.timetable import Timetable
from headrace.ml.process.training.trial import FITTED

NAMES = ("linear_logistic", "decision_tree")


@pytest.fixture(scope="module")
def race(make_case, workers, workspace, progress_at):
    setting = make_case(rows=340).setting(workers, workspace, NAMES)
    done = Race(setting, trials=2, progress=progress_at(budget=None))
    done.run()
    return done


def members_of(race):
    members = [trial for trial in race.trials if trial.status == FITTED]
    return members, {trial.name: 1 / len(members) for trial in members}


def test_members_are_fitted_again_on_training_and_validation_part(race) -> None:
    members, weights = members_of(race)
    final = refit_members(race.setting, members, weights, race.final)
    assert final.refitted
    assert final.notes == ()
    assert set(final.forms) == set(weights)
    assert final.plan is race.final.plan
    preparation = race.setting.preparation
    for trial in members:
        assert final.in_sample[trial.name].shape == (len(preparation.train), 2)
        features = final.plan.transform(preparation.frame[preparation.test], trial.algorithm.view)
        predictions = form_predict(final.forms[trial.name], features, 2)
        assert race.setting.metric.score(preparation.target[preparation.test], predictions, 0.5) > 0.8


def test_without_time_the_first_folds_models_are_used_and_it_is_said(race, progress_at) -> None:
    members, weights = members_of(race)
    setting = race.setting
    timetable = setting.timetable
    setting.timetable = Timetable(progress_at(budget=60.0, now=59.0), 2)
    try:
        final = refit_members(setting, members, weights, race.final)
    finally:
        setting.timetable = timetable
    assert not final.refitted
    assert final.plan is setting.folds[0].plan
    assert "the time was up" in final.notes[0]
    for trial in members:
        in_sample = final.in_sample[trial.name]
        assert in_sample.shape == (len(setting.preparation.train), 2)
        assert np.isfinite(in_sample).all()


def test_a_member_that_cannot_be_refitted_is_left_out_or_replaced_by_the_folds(race) -> None:
    members, _ = members_of(race)
    broken = members[1]
    try:
        for result in broken.results.values():
            result["hyperparameters"]["nonsense"] = 1
        lighter = refit_members(race.setting, members, {members[0].name: 0.8, broken.name: 0.2}, race.final)
        heavier = refit_members(race.setting, members, {members[0].name: 0.2, broken.name: 0.8}, race.final)
    finally:
        for result in broken.results.values():
            result["hyperparameters"].pop("nonsense")
    assert lighter.refitted
    assert set(lighter.forms) == {members[0].name}
    assert any("goes on without" in note for note in lighter.notes)
    assert not heavier.refitted
    assert set(heavier.forms) == {members[0].name, broken.name}
