"""What success is measured by where no label tells it: clusters, anomalies, association rules."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.ml.contract import Task


@dataclass(frozen=True)
class Judgement:
    """A measure of a result without labels; greater is better in all of them."""

    title: str
    meaning: str
    tasks: frozenset[Task]


_CLUSTERS, _ANOMALIES = frozenset({Task.CLUSTERING}), frozenset({Task.ANOMALY_DETECTION})
_RULES = frozenset({Task.ASSOCIATION_RULES})

UNLABELLED: dict[str, Judgement] = {
    "silhouette": Judgement(
        "Silhouette", "how much closer rows are to their own cluster than to the next one, from -1 to 1", _CLUSTERS
    ),
    "stability": Judgement(
        "Stability",
        "how far results learnt from other rows agree: 1 is the same every time, 0 is chance",
        _CLUSTERS | _ANOMALIES,
    ),
    "planted_auc": Judgement(
        "AUC on planted anomalies",
        "how well the score tells real rows from rows made strange on purpose: .5 is chance, 1 is perfect",
        _ANOMALIES,
    ),
    "label_auc": Judgement(
        "AUC on the label", "how well the score tells the labelled anomalies from other rows: .5 is chance", _ANOMALIES
    ),
    "label_precision": Judgement(
        "Precision of the alerts", "the share of rows called anomalies that the label calls so too", _ANOMALIES
    ),
    "label_recall": Judgement(
        "Recall of the alerts", "the share of the labelled anomalies that are called so", _ANOMALIES
    ),
    "confirmed": Judgement(
        "Rules confirmed", "the share of the rules found that hold on baskets they were not found in", _RULES
    ),
    "hit_rate": Judgement(
        "Hit rate", "how often an item hidden from a basket is among the five recommended for the rest of it", _RULES
    ),
}
