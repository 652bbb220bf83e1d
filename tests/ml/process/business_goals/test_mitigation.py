"""Equal selection on request: the groups are selected alike, and what it costs is shown."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from headrace.ml.errors import ColumnError, OptionError
from headrace.ml.process.business_goals import choose_threshold
from headrace.ml.process.business_goals.mitigation import mitigate, weigh_mitigation


@pytest.fixture
def unequal(make_world):
    """A world whose model finds one of two groups more probable than the other."""
    world = make_world(rows=3000)
    rng = np.random.default_rng(4)
    group = rng.choice(["f", "m"], world.preparation.frame.height)
    preparation = replace(world.preparation, frame=world.preparation.frame.with_columns(sex=pl.Series(group)))
    held = world.training.held_out[:, 1]
    odds = held / (1 - held) * np.where(group[world.training.held_out_rows] == "f", 0.3, 1.0)
    positive = odds / (1 + odds)
    plan = SimpleNamespace(columns=[SimpleNamespace(name=name) for name in preparation.frame.columns])
    in_sample = world.training.in_sample
    training = replace(
        world.training, held_out=np.column_stack([1 - positive, positive]), plan=plan, in_sample=in_sample
    )
    return world, preparation, training


def treated(unequal, column="sex"):
    world, preparation, training = unequal
    before = choose_threshold(world.business, world.framing, training, preparation)
    return mitigate(column, world.business, world.framing, training, preparation, before), before


def selected(unequal, training, threshold):
    _, preparation, _ = unequal
    group = preparation.frame["sex"][training.held_out_rows].to_numpy()
    chosen = training.held_out[:, 1] >= threshold
    return [float(chosen[group == name].mean()) for name in ("f", "m")]


def test_groups_are_selected_alike_afterwards(unequal):
    found, before = treated(unequal)
    unlike, alike = (
        selected(unequal, unequal[2], before.value),
        selected(unequal, found.training, found.threshold.value),
    )
    assert min(unlike) / max(unlike) < 0.7
    assert min(alike) / max(alike) > 0.9
    assert found.shift.factors["f"] > found.shift.factors["m"]


def test_the_cost_is_measured_on_the_test_part(unequal):
    world, preparation, _ = unequal
    found, _ = treated(unequal)
    frame = preparation.frame[preparation.test]
    positive = np.random.default_rng(0).random(frame.height) * np.where(frame["sex"] == "f", 0.6, 1.0)
    after = found.shift.apply(frame, np.column_stack([1 - positive, positive]))
    evaluation = SimpleNamespace(test_predictions=after)
    weighed = weigh_mitigation(found, world.business, world.framing, preparation, evaluation)
    assert [group["group"] for group in weighed["groups"]] == ["f", "m"]
    assert weighed["impact"]["before"]["value"] < weighed["impact"]["after"]["value"]
    assert {"before", "after"} <= set(weighed["metrics"][0])


def test_a_column_that_the_model_does_not_read_is_refused(unequal):
    with pytest.raises(ColumnError, match="'gender', is not read by the model"):
        treated(unequal, "gender")


def test_a_column_of_many_values_is_refused(unequal):
    number = next(name for name, kind in unequal[1].frame.schema.items() if kind == pl.Float64)
    with pytest.raises(ColumnError, match="at most 12 groups"):
        treated(unequal, number)


def test_more_classes_are_refused(unequal):
    world, preparation, training = unequal
    with pytest.raises(OptionError, match="two classes"):
        mitigate("sex", world.business, world.framing, training, preparation, None)
