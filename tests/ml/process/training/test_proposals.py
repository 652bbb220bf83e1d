from __future__ import annotations

from headrace.ml.algorithms import find_algorithm
from headrace.ml.process.training.proposals import Proposals, by_strength
from headrace.ml.process.training.trial import FITTED, PRUNED, Trial

NAMES = ("decision_tree", "gradient_boosting_lightgbm", "linear_logistic")
ALGORITHMS = [find_algorithm(name) for name in NAMES]


def closed(index: int, proposal, score: float | None) -> Trial:
    algorithm, hyperparameters = proposal
    trial = Trial(
        index, f"t{index}", algorithm, hyperparameters, status=PRUNED if score is None else FITTED, score=score
    )
    trial.results = {0: {"score": 0.6 if score is None else score}}
    return trial


def walk(count: int, score, lag: int = 1) -> list[Trial]:
    proposals = Proposals(ALGORITHMS, greater_is_better=True, seed=5)
    trials: list[Trial] = []
    for index in range(count):
        proposal = proposals.next(index, trials[: max(0, index - lag + 1)])
        assert proposal is not None
        trials.append(closed(index, proposal, score(proposal)))
    return trials


def steady(proposal) -> float | None:
    return {"gradient_boosting_lightgbm": 0.9, "linear_logistic": 0.8, "decision_tree": None}[proposal[0].name]


def test_a_linear_model_comes_first_and_boosting_next() -> None:
    assert [each.name for each in by_strength(ALGORITHMS)] == [
        "linear_logistic",
        "gradient_boosting_lightgbm",
        "decision_tree",
    ]


def test_boosting_is_tried_with_several_settings_before_weak_algorithms_once() -> None:
    trials = walk(7, steady)
    boosting, linear = ALGORITHMS[1:]
    tried = [(trial.algorithm, trial.algorithm.portfolio.index(trial.hyperparameters)) for trial in trials]
    assert tried == [(linear, 0), *((boosting, place) for place in range(4)), (linear, 1), (ALGORITHMS[0], 0)]


def test_no_configuration_of_a_portfolio_is_proposed_twice() -> None:
    trials = walk(14, steady)
    tried = [(trial.algorithm.name, str(trial.hyperparameters)) for trial in trials]
    assert len(set(tried)) == len(tried)


def test_an_algorithm_that_was_given_up_gets_no_second_configuration() -> None:
    assert [trial.algorithm.name for trial in walk(20, steady)].count("decision_tree") == 1


def test_tuning_follows_the_portfolio_and_mostly_looks_at_the_best() -> None:
    trials = walk(30, steady)
    listed = [dict(configuration) for each in ALGORITHMS for configuration in each.portfolio]
    tuned = [trial for trial in trials if dict(trial.hyperparameters) not in listed]
    assert len(tuned) > 8
    names = [trial.algorithm.name for trial in tuned]
    assert names.count("gradient_boosting_lightgbm") >= len(names) // 2
    for trial in tuned:
        trial.algorithm(trial.algorithm.tasks.__iter__().__next__(), 2, **trial.hyperparameters)


def test_the_same_scores_give_the_same_proposals() -> None:
    first, second = walk(20, steady, lag=4), walk(20, steady, lag=4)
    assert [(t.algorithm, t.hyperparameters) for t in first] == [(t.algorithm, t.hyperparameters) for t in second]


def test_nothing_is_proposed_where_nothing_could_be_fitted() -> None:
    proposals = Proposals(ALGORITHMS, greater_is_better=True, seed=0)
    trials: list[Trial] = []
    while (proposal := proposals.next(len(trials), trials)) is not None:
        trials.append(closed(len(trials), proposal, None))
        trials[-1].results = {}
        trials[-1].status = "failed"
    assert len(trials) == len(ALGORITHMS)
