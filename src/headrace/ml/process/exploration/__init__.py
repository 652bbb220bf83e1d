"""Step 5, exploration: statistics, distributions, relations, outliers, leaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.ml.process.datasets import Dataset
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming


@dataclass(frozen=True)
class Exploration:
    """What the training part looks like; all is plain JSON data, ready to be drawn (no NaN: None where undefined).

    `columns`: one mapping a column: name, kind, count, missing, distinct, mean, std, minimum, quartiles, maximum,
    skew, outliers, top (value, count pairs), relevance (association with the target, 0…1) and its measure.
    `histograms`: column → bins [{start, end, count}] or [{value, count}]. `target_by_feature`: column → [{start,
    end | value, count, target}] (rate of the positive class, or mean). `correlations`: {columns, pearson, spearman,
    association} matrices (Cramér's V and correlation ratio in the last). `scatter`: pairs [{x, y, points: [{x, y,
    target}]}]. `missing_map`: {columns, rows: [[0 | 1]], patterns}. `leaks`: [{column, evidence}]. `sampled`: rows
    looked at, or None for all. Personal values never appear in it.

    More precisely: every column's mapping has all these keys, None where they do not apply (`quartiles` is [25 %,
    50 %, 75 %]; dates are seconds since 1970); `private` is true where values are kept out (then minimum, maximum,
    quartiles, top and charts are None or absent). `target`: {name, kind: classes | values, classes: [{value, count,
    share}]} or {…, statistics, histogram}. Histograms and `target_by_feature` are of the 60 most relevant columns
    (none of texts that are nearly all distinct, which have no `top` either), "" stands for missing, "(other)" for
    the values that are not among the most frequent; `target_by_feature` holds under `target` the rate of the
    positive class (binary), the mean (values), or, for several classes, the share of the bin's most frequent class,
    with its name under `class`. Matrices are of the 40 most relevant columns, cells None where a measure does not
    apply. A scatter point's `target` is a class name or a value. `missing_map.patterns`: [{columns, count}], most
    frequent first. `outliers`: [{column, interquartile, robust_z, share}], counts of values beyond 1.5
    interquartile ranges of the quartiles and beyond 3.5 robust standard deviations. `pictures`: [{title, rows,
    image}], a strip of examples a class.
    """

    columns: tuple[Mapping[str, Any], ...]
    target: Mapping[str, Any]
    histograms: Mapping[str, Any]
    target_by_feature: Mapping[str, Any]
    correlations: Mapping[str, Any]
    scatter: tuple[Mapping[str, Any], ...]
    missing_map: Mapping[str, Any]
    outliers: tuple[Mapping[str, Any], ...]
    leaks: tuple[Mapping[str, Any], ...]
    sampled: int | None
    pictures: tuple[Mapping[str, Any], ...] = ()


_DETAILED = 60


def explore_data(dataset: Dataset, preparation: Preparation, framing: ProblemFraming, *, seed: int) -> Exploration:
    """Describe the training part, or a sample of it (20,000 rows; fewer of wide tables), its leaks and outliers."""
    from headrace.ml.process.datasets.association import measure_relevance, sample_rows
    from headrace.ml.process.datasets.leaks import find_late_dates, find_suspicious
    from headrace.ml.process.datasets.pictures import as_digests
    from headrace.ml.process.exploration.distributions import describe_target, histograms, target_by_feature
    from headrace.ml.process.exploration.missing_values import map_missing
    from headrace.ml.process.exploration.pictures import show_classes
    from headrace.ml.process.exploration.relations import relate, scatter_pairs
    from headrace.ml.process.exploration.statistics import describe_columns, find_outliers, is_nearly_distinct

    rows, sampled = preparation.train, None
    chosen = sample_rows(len(rows), len(preparation.columns), seed)
    if chosen is not None:
        rows, sampled = rows[chosen], len(chosen)
    frame, target = as_digests(preparation.frame[rows]), preparation.target[rows]
    relevance = measure_relevance(frame, target, framing.task)
    private = frozenset(dataset.personal)
    ranked = sorted(frame.columns, key=lambda name: -relevance[name].value)
    shown = [name for name in ranked if name not in private and not is_nearly_distinct(frame[name])][:_DETAILED]
    described = describe_columns(frame, preparation.columns, relevance, private)
    suspicious = find_suspicious(frame, target, framing.task, relevance)
    suspicious |= find_late_dates(preparation.columns, framing.target)
    return Exploration(
        columns=described,
        target=describe_target(target, framing),
        histograms=histograms(frame.select(shown)),
        target_by_feature=target_by_feature(frame.select(shown), target, framing),
        correlations=relate(frame.select(ranked)),
        scatter=scatter_pairs(frame.select(shown), target, framing, seed=seed),
        missing_map=map_missing(frame, seed=seed),
        outliers=find_outliers(described),
        leaks=tuple({"column": name, "evidence": evidence} for name, evidence in suspicious.items()),
        sampled=sampled,
        pictures=show_classes(preparation, rows, framing.classes, private),
    )
