"""Bayesian search of hyperparameters: among the strongest algorithms, or by a space and what was tried in it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headrace.ml.contract import Algorithm, Choice, Integer, Real

if TYPE_CHECKING:
    import optuna

ATTENTION = (0, 1, 0, 2)
"""Which algorithm, by rank, is searched next: the best one every other time."""
STARTING_TRIALS = 5
"""Random configurations of an algorithm before its results steer the search."""

Space = Mapping[str, Integer | Real | Choice]
"""The hyperparameters that are searched, and where."""


@dataclass(frozen=True)
class Suggestion:
    """A configuration to try; `number` names it when its score is told."""

    number: int
    algorithm: type[Algorithm]
    hyperparameters: Mapping[str, Any]


class Search:
    """Asks and tells: a tree-structured Parzen estimator an algorithm (Bergstra et al., 2011), by way of Optuna.

    The suggestions follow from the seed and from the order of asking and telling alone: told in the same order,
    they repeat exactly, however long each evaluation took.
    """

    def __init__(self, algorithms: Sequence[type[Algorithm]], *, greater_is_better: bool, seed: int) -> None:
        """Search the `search` ranges of the algorithms' hyperparameters; those without any are left out."""
        self._algorithms = {each.name: each for each in algorithms if search_space(each)}
        self._greater_is_better, self._seed = greater_is_better, seed
        self._studies: dict[str, optuna.Study] = {}
        self._asked: dict[int, tuple[str, optuna.trial.Trial]] = {}
        self._best: dict[str, float] = {}
        self._count = 0

    def learn(self, algorithm: type[Algorithm], hyperparameters: Mapping[str, Any], score: float) -> None:
        """Take in the score of a configuration that the search did not suggest."""
        if algorithm.name not in self._algorithms:
            return
        import optuna

        with _silence():
            distributions = _distributions(search_space(algorithm))
            complete = {key: hyperparameters.get(key, algorithm.hyperparameters[key].default) for key in distributions}
            if all(_contains(distributions[key], value) for key, value in complete.items()):
                trial = optuna.trial.create_trial(params=complete, distributions=distributions, value=score)
                self._study(algorithm.name).add_trial(trial)
        self._note(algorithm.name, score)

    def ask(self) -> Suggestion | None:
        """Suggest the next configuration: the best algorithm's every other time; None where nothing can be searched."""
        ranked = sorted(self._best, key=lambda name: (-self._oriented(self._best[name]), name))
        if not ranked:
            return None
        name = ranked[min(ATTENTION[self._count % len(ATTENTION)], len(ranked) - 1)]
        number, self._count = self._count, self._count + 1
        with _silence():
            trial = self._study(name).ask(_distributions(search_space(self._algorithms[name])))
        self._asked[number] = (name, trial)
        return Suggestion(number, self._algorithms[name], dict(trial.params))

    def tell(self, number: int, score: float | None) -> None:
        """Say what the suggestion reached; None where it failed or was given up."""
        import optuna

        name, trial = self._asked.pop(number)
        with _silence():
            if score is None:
                self._study(name).tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                self._study(name).tell(trial, score)
        if score is not None:
            self._note(name, score)

    def _oriented(self, score: float) -> float:
        return score if self._greater_is_better else -score

    def _note(self, name: str, score: float) -> None:
        if name not in self._best or self._oriented(score) > self._oriented(self._best[name]):
            self._best[name] = score

    def _study(self, name: str) -> optuna.Study:
        import optuna
        from optuna.study import StudyDirection

        if name not in self._studies:
            position = sorted(self._algorithms).index(name)
            sampler = _estimator((self._seed + position) % 2**32)
            direction = StudyDirection.MAXIMIZE if self._greater_is_better else StudyDirection.MINIMIZE
            self._studies[name] = optuna.create_study(sampler=sampler, direction=direction)
        return self._studies[name]


@dataclass(frozen=True)
class Tried:
    """A configuration that was tried before, or still is: its score is None while it runs."""

    hyperparameters: Mapping[str, Any]
    score: float | None = None


def propose(
    space: Space, tried: Sequence[Tried] = (), *, greater_is_better: bool = False, seed: int, number: int
) -> dict[str, Any]:
    """Return configuration `number` of a search that keeps nothing between its calls.

    It follows from its arguments alone. What was tried steers it by the same estimator as Search; without any it is
    drawn at random, evenly on each range's scale.
    """
    import optuna
    from optuna.study import StudyDirection
    from optuna.trial import TrialState

    direction = StudyDirection.MAXIMIZE if greater_is_better else StudyDirection.MINIMIZE
    with _silence():
        distributions = _distributions(space)
        sampler = _estimator(int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))
        study = optuna.create_study(sampler=sampler, direction=direction)
        for each in tried:
            state = TrialState.RUNNING if each.score is None else TrialState.COMPLETE
            study.add_trial(
                optuna.trial.create_trial(
                    state=state,
                    params=dict(each.hyperparameters),
                    distributions=distributions,
                    value=each.score,
                )
            )
        return dict(study.ask(distributions).params)


def search_space(algorithm: type[Algorithm]) -> Space:
    """The hyperparameters that are searched, and where."""
    return {key: each.search for key, each in algorithm.hyperparameters.items() if each.search is not None}


def _estimator(seed: int) -> optuna.samplers.TPESampler:
    import optuna

    return optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=STARTING_TRIALS, multivariate=True, constant_liar=True
    )


def _distributions(space: Space) -> dict[str, optuna.distributions.BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, optuna.distributions.BaseDistribution] = {}
    for key, each in space.items():
        match each:
            case Integer(low, high, log):
                found[key] = IntDistribution(low, high, log=log)
            case Real(low, high, log):
                found[key] = FloatDistribution(low, high, log=log)
            case Choice(options):
                found[key] = CategoricalDistribution(options)
    return found


def _contains(distribution: optuna.distributions.BaseDistribution, value: Any) -> bool:
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (TypeError, ValueError):
        return False


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep Optuna from writing to the terminal, and leave its settings as they were."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
