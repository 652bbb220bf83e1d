from __future__ import annotations

import logging

import pytest

from headrace.ml.algorithms import find_algorithm
from headrace.ml.contract import Choice, Integer, Real, Task
from headrace.ml.tuning import Search, Tried, propose, search_space

BOOSTING, TREE = find_algorithm("gradient_boosting_lightgbm"), find_algorithm("decision_tree")


def started(seed: int = 0, *, greater_is_better: bool = True) -> Search:
    search = Search([BOOSTING, TREE], greater_is_better=greater_is_better, seed=seed)
    search.learn(BOOSTING, {}, 0.8)
    search.learn(TREE, {}, 0.6)
    return search


def rate_score(hyperparameters) -> float:
    return 1.0 - abs(float(hyperparameters["learning_rate"]) - 0.05)


def walk(search: Search, count: int):
    suggestions = []
    for _ in range(count):
        suggestion = search.ask()
        assert suggestion is not None
        suggestions.append(suggestion)
        boosted = suggestion.algorithm is BOOSTING
        search.tell(suggestion.number, rate_score(suggestion.hyperparameters) if boosted else 0.1)
    return suggestions


def test_every_suggestion_is_a_valid_configuration_inside_the_search_ranges() -> None:
    for suggestion in walk(started(), 16):
        suggestion.algorithm(Task.BINARY, 2, **suggestion.hyperparameters)
        assert set(suggestion.hyperparameters) == set(search_space(suggestion.algorithm))
        for key, space in search_space(suggestion.algorithm).items():
            assert space.problem(suggestion.hyperparameters[key]) is None


def test_the_best_algorithm_gets_most_of_the_attention() -> None:
    chosen = [suggestion.algorithm for suggestion in walk(started(), 16)]
    assert chosen.count(BOOSTING) >= 8
    assert TREE in chosen


def test_lower_scores_lead_where_lower_is_better() -> None:
    suggestion = started(greater_is_better=False).ask()
    assert suggestion is not None
    assert suggestion.algorithm is TREE


def test_the_same_seed_and_answers_give_the_same_suggestions() -> None:
    first, second, other = (walk(started(seed), 14) for seed in (3, 3, 4))
    assert first == second
    assert first != other


def test_results_steer_the_search() -> None:
    search = Search([BOOSTING], greater_is_better=True, seed=1)
    search.learn(BOOSTING, {}, 0.8)
    rates = [float(suggestion.hyperparameters["learning_rate"]) for suggestion in walk(search, 40)]
    late, early = rates[25:], rates[:8]
    assert sum(abs(rate - 0.05) for rate in late) / len(late) < sum(abs(rate - 0.05) for rate in early) / len(early)


def test_a_failed_suggestion_is_passed_over() -> None:
    search = started()
    first = search.ask()
    assert first is not None
    search.tell(first.number, None)
    assert search.ask() is not None
    with pytest.raises(KeyError):
        search.tell(first.number, 0.5)


def test_what_cannot_be_searched_is_never_suggested() -> None:
    baseline = find_algorithm("baseline")
    search = Search([baseline], greater_is_better=True, seed=0)
    search.learn(baseline, {}, 0.5)
    assert search.ask() is None


def test_the_terminal_stays_silent_and_optuna_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    import optuna

    optuna.logging.set_verbosity(logging.INFO)
    walk(started(), 4)
    assert optuna.logging.get_verbosity() == logging.INFO
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


SPACE = {"rate": Real(1e-4, 1.0, log=True), "depth": Integer(1, 9), "kind": Choice(("a", "b"))}


def gap(hyperparameters) -> float:
    return abs(hyperparameters["rate"] - 0.01) + abs(hyperparameters["depth"] - 4) + (hyperparameters["kind"] == "b")


def test_proposals_follow_from_their_arguments_alone() -> None:
    tried = [Tried({"rate": 0.1, "depth": 3, "kind": "a"}, 1.0), Tried({"rate": 0.2, "depth": 5, "kind": "b"})]
    first, again = (propose(SPACE, tried, seed=2**40, number=2) for _ in range(2))
    assert first == again
    assert first != propose(SPACE, tried, seed=2**40, number=3)
    assert all(each.problem(first[name]) is None for name, each in SPACE.items())


@pytest.mark.parametrize("greater_is_better", [False, True])
def test_what_was_tried_steers_what_is_proposed(greater_is_better: bool) -> None:
    sign = -1 if greater_is_better else 1
    tried: list[Tried] = []
    for number in range(40):
        found = propose(SPACE, tried, greater_is_better=greater_is_better, seed=5, number=number)
        tried.append(Tried(found, sign * gap(found)))
    late = sum(abs(each.score or 0) for each in tried[-10:]) / 10
    blind = sum(gap(propose(SPACE, seed=5, number=number)) for number in range(40)) / 40
    assert late < blind / 2
