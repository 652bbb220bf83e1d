"""Why single predictions came out as they did: telling rows of the test part, explained column by column."""

from __future__ import annotations

from typing import Any

import numpy as np

from headrace.ml.contract import Predictions, Target, Task
from headrace.ml.process.evaluation.allowance import Allowance
from headrace.ml.process.preparation import Preparation

_SAMPLES = (8, 64)


def explain_predictions(
    model: Any,
    preparation: Preparation,
    predictions: Predictions,
    threshold: float,
    private: frozenset[str],
    *,
    seed: int,
    allowance: Allowance,
) -> list[dict[str, Any]]:
    """Return {row, why, prediction, base, contributions: [{column, value, contribution}]} for a few telling rows.

    `row` is 1-based in the source. Values of private columns are None.
    """
    from headrace.ml.explanation import explain

    target = preparation.target[preparation.test]
    chosen = telling_rows(preparation.task, target, predictions, threshold)
    cost = 2 * len(preparation.columns) * allowance.seconds_a_row * len(chosen)
    samples = int(np.clip(allowance.left() / 2 / max(cost, 1e-9), *_SAMPLES))
    if not allowance.allows("Explanations of single rows", samples * cost):
        return []
    positions = list(chosen.values())
    explained = explain(
        model, preparation.frame[preparation.test[positions]], range(len(positions)), seed=seed, samples=samples
    )
    return [
        {"row": int(preparation.source_rows[preparation.test[position]]), "why": why}
        | explanation
        | {"contributions": [_hide(part, private) for part in explanation["contributions"]]}
        for (why, position), explanation in zip(chosen.items(), explained, strict=True)
    ]


def telling_rows(task: Task, target: Target, predictions: Predictions, threshold: float) -> dict[str, int]:
    """Return why → position of rows that show the model at its surest, at its least sure, and at its worst."""
    if task is Task.REGRESSION:
        found = {
            "highest prediction": int(predictions.argmax()),
            "lowest prediction": int(predictions.argmin()),
            "largest error": int(np.abs(target - predictions).argmax()),
        }
    else:
        given = predictions[np.arange(len(target)), target]
        surest = predictions.max(axis=1)
        found = {"worst mistake": int(given.argmin())}
        if task is Task.BINARY:
            positive = predictions[:, 1]
            found = {
                "highest probability": int(positive.argmax()),
                "lowest probability": int(positive.argmin()),
                "closest to the threshold": int(np.abs(positive - threshold).argmin()),
            } | found
        else:
            found = {"surest prediction": int(surest.argmax()), "least sure prediction": int(surest.argmin())} | found
    unique: dict[int, str] = {}
    for why, position in found.items():
        unique.setdefault(position, why)
    return {why: position for position, why in unique.items()}


def _hide(part: dict[str, Any], private: frozenset[str]) -> dict[str, Any]:
    return part | {"value": None} if part["column"] in private else part
