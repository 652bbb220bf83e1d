"""What is tried, in which order: an opening of strong configurations, every algorithm, further ones, then tuning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headrace.ml.contract import Algorithm
from headrace.ml.process.training.trial import FAILED, FITTED, PRUNED, STOPPED, Trial
from headrace.ml.tuning import Search

STRENGTH = (
    "linear_logistic",
    "linear_square",
    "gradient_boosting_lightgbm",
    "gradient_boosting_catboost",
    "gradient_boosting_xgboost",
    "neural_network_realmlp",
    "neural_network",
    "extra_trees",
    "random_forest",
    "support_vector_machine",
    "k_nearest_neighbors",
    "linear_hinge",
    "decision_tree",
    "naive_bayes",
)
"""Best first by what they reach a second on tables, after linear models, so that there is soon a model."""

OPENING = (
    *((name, 0) for name in STRENGTH[:5]),
    ("neural_network_realmlp", 0),
    ("gradient_boosting_lightgbm", 1),
    ("gradient_boosting_catboost", 1),
    ("gradient_boosting_xgboost", 1),
    ("neural_network", 0),
    ("neural_network_realmlp", 1),
    ("gradient_boosting_lightgbm", 2),
    ("gradient_boosting_lightgbm", 3),
    ("gradient_boosting_catboost", 2),
    ("extra_trees", 0),
    ("linear_logistic", 1),
    ("random_forest", 0),
    ("neural_network", 1),
)
"""Algorithm and place in its portfolio: tried first, as boosting with several settings gains more than weak models."""

TUNED_ALGORITHMS = 4
Proposal = tuple[type[Algorithm], Mapping[str, Any]]


def by_strength(algorithms: Sequence[type[Algorithm]]) -> list[type[Algorithm]]:
    """Sort the algorithms, those not in `STRENGTH` last."""
    return sorted(algorithms, key=lambda each: STRENGTH.index(each.name) if each.name in STRENGTH else len(STRENGTH))


class Proposals:
    """Proposes one configuration after the other; which one follows from scores in the order of the trials alone."""

    def __init__(self, algorithms: Sequence[type[Algorithm]], *, greater_is_better: bool, seed: int) -> None:
        self._algorithms = by_strength(algorithms)
        self._greater_is_better, self._seed = greater_is_better, seed
        self._opening = iter(_opening(self._algorithms))
        self._further: Iterator[Proposal] | None = None
        self._search: Search | None = None
        self._numbers: dict[int, int] = {}
        self._told = 0

    def next(self, index: int, closed: Sequence[Trial]) -> Proposal | None:
        """Propose the configuration of trial `index`, knowing the trials `closed`; None when nothing is left to try."""
        hopeless = {trial.algorithm for trial in closed if trial.status in (FAILED, STOPPED)}
        if (first := next((each for each in self._opening if each[0] not in hopeless), None)) is not None:
            return first
        if self._further is None:
            self._further = self._further_configurations(closed)
        if (further := next(self._further, None)) is not None:
            return further
        if self._search is None:
            names = {trial.algorithm.name for trial in _strongest(closed, self._greater_is_better)[:TUNED_ALGORITHMS]}
            tuned = [each for each in self._algorithms if each.name in names]
            self._search = Search(tuned, greater_is_better=self._greater_is_better, seed=self._seed)
        self._tell(closed)
        if (suggestion := self._search.ask()) is None:
            return None
        self._numbers[index] = suggestion.number
        return suggestion.algorithm, suggestion.hyperparameters

    def _further_configurations(self, closed: Sequence[Trial]) -> Iterator[Proposal]:
        """Configurations that the opening has not, best algorithms first, of those that were not given up."""
        opened = set(OPENING)
        given_up = {trial.algorithm.name for trial in closed if trial.status != FITTED}
        ranked = [trial.algorithm for trial in _strongest(closed, self._greater_is_better)]
        rest = [each for each in self._algorithms if each not in ranked and each.name not in given_up]
        algorithms = ranked + rest
        longest = max((len(each.portfolio) for each in algorithms), default=0)
        for place in range(1, longest):
            yield from (
                (each, each.portfolio[place])
                for each in algorithms
                if len(each.portfolio) > place and (each.name, place) not in opened
            )

    def _tell(self, closed: Sequence[Trial]) -> None:
        assert self._search is not None
        for trial in closed[self._told :]:
            if trial.index in self._numbers:
                self._search.tell(self._numbers[trial.index], _score_to_tell(trial))
            elif (score := _score_to_tell(trial)) is not None:
                self._search.learn(trial.algorithm, trial.hyperparameters, score)
        self._told = len(closed)


def _opening(algorithms: Sequence[type[Algorithm]]) -> list[Proposal]:
    """Return the configurations of `OPENING`, then the first one of each other algorithm."""
    known = {each.name: each for each in algorithms}
    opening = [(known[name], place) for name, place in OPENING if name in known and place < len(known[name].portfolio)]
    opening += [(each, 0) for each in algorithms if (each, 0) not in opening]
    return [(each, each.portfolio[place]) for each, place in opening]


def _score_to_tell(trial: Trial) -> float | None:
    """The score of all folds, or of the first fold for one that was pruned after it."""
    if trial.status == PRUNED:
        return float(trial.fold_scores()[0])
    return trial.score


def _strongest(closed: Sequence[Trial], greater_is_better: bool) -> list[Trial]:
    """The best fitted trial of each algorithm, best first."""
    best: dict[str, Trial] = {}
    for trial in closed:
        if trial.score is None:
            continue
        rival = best.get(trial.algorithm.name)
        if rival is None or rival.score is None or (trial.score > rival.score) == greater_is_better:
            best[trial.algorithm.name] = trial
    return sorted(best.values(), key=lambda trial: (trial.score or 0.0) * (-1 if greater_is_better else 1))
