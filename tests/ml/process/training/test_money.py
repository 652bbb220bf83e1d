"""The model by the charter's money."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.metrics import METRICS
from headrace.ml.process.business_problem import Charter
from headrace.ml.process.training.money import choose_by_money
from headrace.ml.process.training.trial import FITTED, Trial

CHARTER = Charter.model_validate({"decisions": {"true_positive": {"earns": 10}, "false_positive": {"costs": 1}}})


def trial(name, scores):
    found = Trial(0, name, SimpleNamespace(name=name), {})
    found.status, found.score, found.held_out = FITTED, 0.7, np.column_stack([1 - scores, scores])
    found.results = {0: {"predict_microseconds": 1.0, "operations": 1}}
    return found


def world(noise):
    """Make two candidates: `plain`, and one whose probabilities are nearer to the truth the smaller `noise` is."""
    generator = np.random.default_rng(0)
    chance = generator.beta(0.3, 3, 4000)
    target = (generator.random(4000) < chance).astype(np.int64)
    blur = generator.random(4000)
    return target, [trial("plain", (chance + blur) / 2), trial("other", (chance + noise * blur) / (1 + noise))]


def choose(charter, target, trials, task=Task.BINARY):
    return choose_by_money(charter, task, trials, {"plain": 1.0}, target, METRICS["roc_auc"])


def test_a_candidate_that_surely_earns_more_is_the_model():
    weights, said = choose(CHARTER, *world(0.0))
    assert weights == {"other": 1.0}
    assert said[0].startswith("other alone is the model") and "standard error" in said[0]


def test_luck_changes_nothing_and_is_said():
    weights, said = choose(CHARTER, *world(0.97))
    assert weights == {"plain": 1.0}
    assert "does not speak for another model" in said[0]


@pytest.mark.parametrize(("charter", "task"), [(Charter(), Task.BINARY), (CHARTER, Task.MULTICLASS)])
def test_without_money_nothing_is_compared(charter, task):
    assert choose(charter, *world(0.0), task=task) == ({"plain": 1.0}, ())


def test_the_capacity_bounds_what_each_may_earn():
    limited = CHARTER.model_copy(update={"capacity": "1%"})
    assert choose(limited, *world(0.0))[1] != choose(CHARTER, *world(0.0))[1]
