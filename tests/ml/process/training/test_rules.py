"""Item sets are those of brute force; rules are found where planted, and not in chance."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from headrace.ml.prediction.baskets import Layout
from headrace.ml.process.datasets.baskets import Baskets
from headrace.ml.process.progress import Progress
from headrace.ml.process.training.rules import mine_rules
from headrace.ml.process.training.rules.chance import chance, false_discoveries
from headrace.ml.process.training.rules.itemsets import TooManySets, frequent_sets


def baskets(held: np.ndarray) -> Baskets:
    names = tuple(f"item{i}" for i in range(held.shape[1]))
    return Baskets(tuple(map(str, range(len(held)))), names, held, Layout("b", "i"), np.arange(len(held)), {}, (), ())


def random_baskets(rows: int = 400, items: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, items)) < np.linspace(0.1, 0.4, items)


@pytest.mark.parametrize("seed", range(3))
def test_frequent_sets_are_those_of_brute_force(seed):
    held = random_baskets(130, 7, seed)
    expected = {
        items: count
        for size in (1, 2, 3)
        for items in combinations(range(7), size)
        if (count := int(held[:, items].all(axis=1).sum())) >= 6
    }
    assert frequent_sets(held, 6, longest=3, most=10_000) == expected


def test_too_many_sets_are_not_waited_for():
    with pytest.raises(TooManySets):
        frequent_sets(np.ones((64, 20), bool), 2, longest=4, most=100)


def test_a_planted_rule_is_found_with_its_figures():
    held = random_baskets()
    held[:, 0] = held[:, 1] & held[:, 2]
    found = mine_rules(baskets(held), range(len(held)), progress=Progress(started=0.0))
    rule = next(r for r in found.rules if (r.antecedent, r.consequent) == ((1, 2), 0))
    share = held[:, 0].mean()
    assert rule.confidence == 1.0
    assert rule.conviction is None
    assert rule.support == pytest.approx(share)
    assert rule.lift == pytest.approx(1 / share)
    assert rule.leverage == pytest.approx(share * (1 - share))


def test_chance_gives_no_rules():
    found = [mine_rules(baskets(random_baskets(seed=s)), range(400), progress=Progress(started=0.0)) for s in range(5)]
    assert sum(len(f.rules) for f in found) <= 1
    assert "No rule is more than chance" in min((f.reason for f in found), key=lambda r: "No rule" not in r)


def test_the_least_support_is_raised_where_sets_are_too_many():
    held = np.random.default_rng(0).random((200, 60)) < 0.6
    found = mine_rules(baskets(held), range(200), progress=Progress(started=0.0))
    assert found.item_sets <= 50_000
    assert any("raised" in note for note in found.notes)


def test_the_test_of_chance_is_fishers():
    table = np.array([[12, 8], [20, 60]])
    expected = fisher_exact(table, alternative="greater").pvalue
    assert chance(np.array([12.0]), np.array([20.0]), np.array([32.0]), 100)[0] == pytest.approx(expected)
    assert false_discoveries(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.04, 0.04])
