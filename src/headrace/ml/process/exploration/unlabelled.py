"""Exploration without a label: statistics, distributions, relations among columns, outliers."""

from __future__ import annotations

from headrace.ml.process.datasets import Dataset
from headrace.ml.process.exploration import Exploration
from headrace.ml.process.preparation import Preparation

_DETAILED = 60


def explore_unlabelled(dataset: Dataset, preparation: Preparation, *, seed: int) -> Exploration:
    """Describe the training part, or a sample of it; what `Exploration` has of a target stays empty."""
    from headrace.ml.process.datasets.association import Relevance, sample_rows
    from headrace.ml.process.exploration.distributions import histograms
    from headrace.ml.process.exploration.missing_values import map_missing
    from headrace.ml.process.exploration.relations import relate
    from headrace.ml.process.exploration.statistics import describe_columns, find_outliers, is_nearly_distinct

    rows, sampled = preparation.train, None
    chosen = sample_rows(len(rows), len(preparation.columns), seed)
    if chosen is not None:
        rows, sampled = rows[chosen], len(chosen)
    frame = preparation.frame[rows.tolist()]
    private = frozenset(dataset.personal)
    shown = [name for name in frame.columns if name not in private and not is_nearly_distinct(frame[name])][:_DETAILED]
    without = {name: Relevance(0.0, "") for name in frame.columns}
    described = describe_columns(frame, preparation.columns, without, private)
    return Exploration(
        columns=described,
        target={},
        histograms=histograms(frame.select(shown)),
        target_by_feature={},
        correlations=relate(frame),
        scatter=(),
        missing_map=map_missing(frame, seed=seed),
        outliers=find_outliers(described),
        leaks=(),
        sampled=sampled,
    )
