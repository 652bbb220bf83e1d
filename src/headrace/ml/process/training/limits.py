"""How much is tried: rows, folds and configurations by the data's shape and the budget, never by measured time.

So that a run repeats, what a candidate is fitted on follows from estimates alone. `SECONDS` are what a fit of the
first configuration took on one core of 2024, a million cells (rows times columns): coarse on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headrace.ml.contract import Algorithm

CELLS_PER_SECOND = 200_000
FEWEST_ROWS, FEWEST_ROWS_OF_WIDE, FEWEST_CELLS = 2_000, 200, 2_000_000
ASSUMED_CORES = 2
SECONDS = {
    "baseline": 0.01,
    "gradient_boosting_lightgbm": 5.0,
    "gradient_boosting_xgboost": 2.5,
    "gradient_boosting_catboost": 10.0,
    "linear_logistic": 0.3,
    "linear_square": 0.05,
    "linear_hinge": 0.4,
    "naive_bayes": 0.02,
    "decision_tree": 0.1,
    "random_forest": 10.0,
    "extra_trees": 8.0,
    "neural_network": 2.5,
    "neural_network_realmlp": 5.0,
    "k_nearest_neighbors": 2.0,
    "support_vector_machine": 15.0,
}
UNKNOWN = 10.0
BOOSTING = ("gradient_boosting_lightgbm", "gradient_boosting_xgboost", "gradient_boosting_catboost")
SMALL_ROWS, SMALL_BUDGET, FEWEST_FOLDS = 5_000, 45.0, 3
"""On fewer rows, one fold says too little: from that many seconds on, at least three are used."""
VALUES_NEED_TREES = 1.5
"""How many times as many trees boosting grows for values as for two classes, before it stops early."""
SECONDS_OF_SMALL_TREES = 0.3
"""What boosting takes however few the rows are."""
FITS_OF_THE_DEAREST = 10
ALWAYS = ("linear_logistic", "linear_square")
"""Tried first, whatever the shape, so that there is soon a model."""
SHARE_OF_FIRST, SHARE_OF_OTHERS = 1 / 12, 1 / 3
"""The longest fit of those, and of an algorithm that is seldom the best, by the longest of boosting."""


def estimate_seconds(algorithm: str, rows: int, columns: int, classes: int) -> float:
    """Estimate what one fit takes, from the shape alone."""
    trees, fixed = 1.0, 0.05
    if algorithm in BOOSTING:
        trees = max(1, classes - 1) if classes else VALUES_NEED_TREES
        fixed += SECONDS_OF_SMALL_TREES * trees
    return fixed + SECONDS.get(algorithm, UNKNOWN) * rows * columns * trees / 1e6


@dataclass(frozen=True)
class Limits:
    """The most rows of a fold's fit, how many planned folds are used, and the longest fit in estimated seconds."""

    rows: int | None = None
    folds: int | None = None
    fit_seconds: float = float("inf")

    def rows_for(self, algorithm: type[Algorithm], rows: int, columns: int, classes: int) -> int | None:
        """Rows of a fold that this algorithm is fitted on, or None where even few would take too long."""
        most = min(rows, algorithm.largest or rows)
        seconds = estimate_seconds(algorithm.name, most, columns, classes)
        share = SHARE_OF_FIRST if algorithm.name in ALWAYS else SHARE_OF_OTHERS
        longest = self.fit_seconds * (1 if algorithm.name in BOOSTING else share)
        if seconds > longest:
            fixed = estimate_seconds(algorithm.name, 0, columns, classes)
            most = int(most * max(0.0, longest - fixed) / (seconds - fixed))
            fewest = min(rows, FEWEST_ROWS, max(FEWEST_ROWS_OF_WIDE, FEWEST_CELLS // max(columns, 1)))
            if most < fewest:
                return fewest if algorithm.name in ALWAYS or 2 * most >= fewest else None
        return most


def choose_limits(
    budget: float | None, rows: int, columns: int, classes: int, folds: int, algorithms: Sequence[str]
) -> Limits:
    """Choose the limits for training parts of `rows` rows and `columns` raw columns.

    With a budget, about ten fits of the slowest boosting shall fit into it; folds are saved on before rows are.
    """
    if budget is None:
        return Limits()
    most = max(FEWEST_ROWS, int(CELLS_PER_SECOND * budget / max(columns, 1)))
    strong = [name for name in BOOSTING if name in algorithms] or list(BOOSTING)
    dearest = max(estimate_seconds(name, min(rows, most), columns, classes) for name in strong)
    affordable = 0.6 * budget * ASSUMED_CORES
    fewest = FEWEST_FOLDS if rows <= SMALL_ROWS and budget >= SMALL_BUDGET else 1
    used = int(min(folds, max(fewest, affordable / (FITS_OF_THE_DEAREST * dearest))))
    return Limits(most, used, affordable / (4 * used))
