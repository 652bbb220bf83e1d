"""What later monitoring compares with: the compiled model's predictions and performance on the test part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from headrace.ml.applications.automl.results import BuiltModel

_TRAINING_ROWS = 10_000


def keep_for_monitoring(built: BuiltModel, steps: Mapping[str, Any]) -> None:
    """Add to the model's baseline how it fared on the test rows, and what it predicts for rows that it knows."""
    from headrace.ml.monitoring.reference import keep_reference, measure_reference

    preparation, evaluation = steps["preparation"], steps["evaluation"]
    learnt_from = np.union1d(preparation.train, preparation.validation)
    spread = np.linspace(0, len(learnt_from) - 1, min(_TRAINING_ROWS, len(learnt_from))).astype(np.int64)
    trained = built.model.predict_frame(preparation.frame[learnt_from[spread].tolist()])
    scores = evaluation.metrics.get("test", {})
    metrics = [
        (name, float(scores[name]), float(low), float(high))
        for name, (low, high) in evaluation.intervals.items()
        if name in scores and np.isfinite([scores[name], low, high]).all()
    ]
    reference = measure_reference(
        built.model, preparation.target[preparation.test], evaluation.test_predictions, trained,
        steps["problem_framing"].metric, metrics,
    )  # fmt: skip
    keep_reference(built.folder, reference)
