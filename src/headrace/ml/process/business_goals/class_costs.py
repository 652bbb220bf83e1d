"""Several classes with a price for each mistake: what deciding for the class of least expected cost is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics.money import CostMatrix
from headrace.ml.process.business_goals.expected_value import Estimate, beside, figure
from headrace.ml.process.business_goals.findings import CONDITION, MONEY, Findings, shown

_SEED = 0
_REPLICATES = 1000


def money_of_classes(
    matrix: CostMatrix, currency: str, target: Target, probabilities: Predictions
) -> Mapping[str, Any]:
    """Return what `money_of_decisions` does, for the class of least expected cost in each row; costs count negative.

    The policies are always the same class. Beside it stand `likeliest` {value, low, high}, what deciding for the
    likeliest class is worth; `over_likeliest`, how much more the least expected cost is worth than that; and
    `confusion`, how many rows of each actual class (rows) were decided for each (columns), in the order of `classes`.
    """
    size = len(matrix.classes)
    decided, likeliest = matrix.cheapest(probabilities), np.argmax(probabilities, axis=1)
    codes = np.ravel_multi_index((np.asarray(target, np.int64), decided, likeliest), (size, size, size))
    cells, counts = np.unique(codes, return_counts=True)
    rows = len(target)
    actual, chosen, usual = np.unravel_index(cells, (size, size, size))
    earned = -np.column_stack([matrix.costs[actual, chosen], matrix.costs[actual, usual], matrix.costs[actual]])
    values = counts @ earned / rows
    # only how many rows each combination has matters: these numbers are drawn at once, whatever the number of rows
    drawn = np.random.default_rng(_SEED).multinomial(rows, counts / rows, size=_REPLICATES) @ earned / rows
    estimates: list[Estimate] = [(float(value), drawn[:, i]) for i, value in enumerate(values)]
    model, plain = estimates[:2]
    policies = {f"always {name}": found for name, found in zip(matrix.classes, estimates[2:], strict=True)}
    confusion = np.zeros((size, size), np.int64)
    np.add.at(confusion, (actual, chosen), counts)
    return {
        **beside(currency, rows, model, policies),
        "likeliest": figure(*plain),
        "over_likeliest": figure(model[0] - plain[0], model[1] - plain[1]),
        "classes": list(matrix.classes),
        "confusion": confusion.tolist(),
    }


def weigh_class_costs(findings: Findings, matrix: CostMatrix, money: Mapping[str, Any]) -> None:
    """Say what must be heeded when deciding by costs: the model answers the likeliest class; mistakes without price."""
    gain = money["over_likeliest"]
    if gain["value"] > 0:
        findings.add(
            CONDITION,
            MONEY,
            "Decide for the class of least expected cost, computed from the model's probabilities: its own answer is "
            f"the likeliest class, which is worth {shown(gain['value'])} {money['currency']} a decision less (95 % "
            f"interval {shown(gain['low'])} to {shown(gain['high'])}).",
        )
    if matrix.unsaid:
        size = len(matrix.classes)
        actual, decided = matrix.unsaid[0]
        findings.add(
            CONDITION,
            MONEY,
            f"Say what all mistakes cost: {len(matrix.unsaid)} of {size * (size - 1)} have no price and count as free "
            f"(the first: '{actual}' decided for '{decided}').",
        )
