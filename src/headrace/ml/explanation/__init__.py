"""Why a prediction is what it is: exact contributions of trees, sampled ones of everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headrace.ml.prediction.manifest import EXPLANATION_ARRAYS, EXPLANATION_GRAPH

if TYPE_CHECKING:
    import polars as pl

    from headrace.ml.prediction.model import Model


def explain(
    model: Model, frame: pl.DataFrame, rows: Sequence[int], *, seed: int = 0, samples: int = 64
) -> list[dict[str, Any]]:
    """Explain the predictions for the rows at the positions `rows` (0-based) of a typed frame.

    Each result is as `prediction.explanation.explain_rows` gives it. Where the model was saved with its trees, `method`
    is `tree_shap`: exact, as the boosters' own contributions, and `base` the mean over the rows trained on; or
    `tree_shap and sampled` where some members are not made of trees. Other models are sampled.
    """
    if {EXPLANATION_ARRAYS, EXPLANATION_GRAPH} <= set(model.manifest.files):
        from headrace.ml.explanation.exact import explain_exactly

        return explain_exactly(model, frame, rows, seed=seed, samples=samples)
    from headrace.ml.prediction.explanation import explain_rows

    return explain_rows(model, frame, rows, seed=seed, samples=samples)
