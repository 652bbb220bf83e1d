"""What the three gradient boosting libraries share: link and patience."""

from __future__ import annotations

from headrace.ml.adapters.links import IDENTITY, SIGMOID, SOFTMAX
from headrace.ml.contract import Choice, Hyperparameter

CATEGORIES = Hyperparameter(
    "codes",
    Choice(("codes", "one-hot", "both")),
    "which features of categories a run gives it: codes by frequency, one for each level, or both",
    Choice(("codes", "one-hot", "both")),
)


def boosting_link(classes: int) -> str:
    """Return how the sums of trees become predictions; `classes` is 0 for regression."""
    return IDENTITY if not classes else SIGMOID if classes == 2 else SOFTMAX


def patience(learning_rate: float) -> int:
    """Return how many trees without improvement end the boosting: more where each adds less."""
    return int(min(max(3 / learning_rate, 30), 200))
