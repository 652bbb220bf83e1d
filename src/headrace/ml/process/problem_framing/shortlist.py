"""Which algorithms are worth trying for a task, and why."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.ml.contract import CLASSIFICATION, SUPERVISED, Task

_NUMBERS = frozenset({Task.REGRESSION})


@dataclass(frozen=True)
class _Entry:
    name: str
    tasks: frozenset[Task]
    reason: str
    interpretable: bool = False
    most_rows: int | None = None
    most_columns: int | None = None


_ENTRIES = (
    _Entry("gradient_boosting_lightgbm", SUPERVISED, "usually the most accurate on tables, quick on many rows"),
    _Entry("gradient_boosting_xgboost", SUPERVISED, "as accurate, and errs differently, which helps an ensemble"),
    _Entry("gradient_boosting_catboost", SUPERVISED, "strong on categories without tuning"),
    _Entry("linear_logistic", CLASSIFICATION, "readable weights and well-calibrated probabilities", True),
    _Entry("linear_square", _NUMBERS, "readable weights, right where relations are straight lines", True),
    _Entry("random_forest", SUPERVISED, "robust without tuning"),
    _Entry("extra_trees", SUPERVISED, "robust without tuning, smoother than a random forest"),
    _Entry("neural_network_realmlp", SUPERVISED, "finds smooth interactions that trees miss", most_columns=5_000),
    _Entry("neural_network", SUPERVISED, "quickly trained, and smooth where trees step", most_columns=5_000),
    _Entry("decision_tree", SUPERVISED, "its rules can be read one by one", True),
    _Entry("linear_hinge", CLASSIFICATION, "a wide margin between classes, little moved by outliers", True),
    _Entry("naive_bayes", CLASSIFICATION, "fitted in one pass, good with few rows", True),
    _Entry(
        "support_vector_machine", SUPERVISED, "curved boundaries from few rows", most_rows=20_000, most_columns=2_000
    ),
    _Entry("k_nearest_neighbors", SUPERVISED, "answers by similar rows", most_rows=100_000, most_columns=200),
)

INTERPRETABLE = frozenset(entry.name for entry in _ENTRIES if entry.interpretable)
"""Algorithms whose models people can read."""


_OF_PICTURES = frozenset(
    {
        "linear_logistic",
        "neural_network",
        "neural_network_realmlp",
        "support_vector_machine",
        "k_nearest_neighbors",
        "extra_trees",
    }
)


def shortlist_algorithms(
    task: Task, rows: int, columns: int, interpretability: str, *, pictures: bool = False
) -> tuple[tuple[str, str], ...]:
    """Return (algorithm, reason) pairs for `task`, best bets first.

    `interpretability` of `required` keeps the readable ones only, `preferred` puts them first; algorithms too slow for
    so many rows or columns are left out, and with `pictures` those that are poor at a hundred features that each say
    little.
    """
    fitting = [
        entry
        for entry in _ENTRIES
        if task in entry.tasks
        and (entry.most_rows is None or rows <= entry.most_rows)
        and (entry.most_columns is None or columns <= entry.most_columns)
        and (entry.interpretable or interpretability != "required")
        and (not pictures or entry.name in _OF_PICTURES)
    ]
    if interpretability == "preferred":
        fitting.sort(key=lambda entry: not entry.interpretable)
    return tuple((entry.name, entry.reason) for entry in fitting)
