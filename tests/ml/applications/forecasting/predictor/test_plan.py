"""Which models are tried, and what of a budget they get."""

from headrace.ml.applications.forecasting.options import TrainingOptions
from headrace.ml.applications.forecasting.predictor.plan import NETWORKS, REFERENCES, Clock, affordable, candidates

SECONDS = {"theta": 1.0, "ets": 4.0, "arima": 30.0}


def test_windows_are_given_up_for_models_and_the_slowest_are_left_out():
    assert affordable(SECONDS, tuple(SECONDS), 3, 1000.0) == (3, tuple(SECONDS), ())
    assert affordable(SECONDS, tuple(SECONDS), 3, 80.0)[:2] == (1, tuple(SECONDS))
    windows, chosen, notes = affordable(SECONDS, tuple(SECONDS), 3, 25.0)
    assert (windows, chosen) == (3, ("theta", "ets"))
    assert notes == ("arima was left out: it would take about 60 s of the 25 s that were left",)
    assert affordable(SECONDS, tuple(SECONDS), 3, 0.5)[1] == ()


def test_networks_need_data_and_time_and_references_are_always_tried(make_panel):
    few, many = make_panel(), make_panel(items=60)
    assert not set(NETWORKS) & set(candidates(few, TrainingOptions(horizon=6)))
    assert set(NETWORKS) <= set(candidates(many, TrainingOptions(horizon=6)))
    assert not set(NETWORKS) & set(candidates(many, TrainingOptions(horizon=6, budget=20.0)))
    assert set(candidates(few, TrainingOptions(horizon=6, algorithms=("deepar",)))) == {"deepar", *REFERENCES}


def test_a_clock_without_an_end_never_hurries():
    assert Clock.of(None).left() is None
    assert Clock.of(None).until(0.5) is None
    left = Clock.of(100.0).share(0.5)
    assert left is not None
    assert 40 < left <= 50
