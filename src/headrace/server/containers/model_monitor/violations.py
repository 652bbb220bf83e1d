"""constraint_violations.json: where data breaks the constraints of its baseline (AWS page: Schema for violations)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from headrace.ml.monitoring.sketches import (
    Measured,
    Sketch,
    category_distance,
    category_probability,
    number_distance,
    outside,
)
from headrace.server.containers.model_monitor.constraints import Constraint
from headrace.server.containers.model_monitor.statistics import NUMERIC


@dataclass(frozen=True)
class Violation:
    """One broken constraint."""

    feature_name: str
    constraint_check_type: str
    description: str


@dataclass(frozen=True)
class Drift:
    """How far a feature is from its baseline; `far` tells that this is more than it may be."""

    distance: float
    threshold: float
    far: bool

    @property
    def sentence(self) -> str:
        """What a violation says of it."""
        return f"Baseline drift distance: {self.distance} exceeds threshold: {self.threshold}"


def check_columns(constraints: Sequence[Constraint], columns: Sequence[Measured]) -> Iterator[Violation]:
    """Yield what is wrong with the set of columns."""
    now, then = len(columns), len(constraints)
    counts = f"Number of columns in current dataset: {now}, Number of columns in baseline constraints: {then}"
    names = {constraint.name for constraint in constraints}
    here = {column.name for column in columns}
    if now < then or (names - here and now == then):
        yield Violation(
            "Missing columns", "missing_column_check", f"There are missing columns in current dataset. {counts}"
        )
    if now > then or (here - names and now == then):
        yield Violation("Extra columns", "extra_column_check", f"There are extra columns in current dataset. {counts}")


def check_feature(constraint: Constraint, column: Measured, drift: Drift | None) -> Iterator[Violation]:
    """Yield what is wrong with one feature."""
    share, wanted = column.share_of(constraint.type), constraint.options["datatype_check_threshold"]
    if share < wanted:
        yield Violation(
            constraint.name,
            "data_type_check",
            f"Data type match requirement is not met. Expected data type: {constraint.type.value}, Expected match: "
            f"{wanted * 100}%. Observed: Only {share * 100}% of data is {constraint.type.value}.",
        )
    if constraint.completeness is not None and column.completeness < constraint.completeness:
        yield Violation(
            constraint.name,
            "completeness_check",
            f"Completeness requirement is not met. Expected completeness: {constraint.completeness * 100}%. Observed: "
            f"Only {column.completeness * 100}% of data is complete.",
        )
    if constraint.domain and column.present:
        inside, least = _share_inside(column, constraint.domain), constraint.options["domain_content_threshold"]
        if inside < least:
            yield Violation(
                constraint.name,
                "categorical_values_check",
                f"Values are outside of the domain of the baseline. Expected share of known values: {least * 100}%. "
                f"Observed: Only {inside * 100}% of values are known.",
            )
    if drift is not None and drift.far:
        yield Violation(constraint.name, "baseline_drift_check", drift.sentence)


def drift_of(
    constraint: Constraint,
    column: Measured,
    sketches: Mapping[str, Sketch],
    categories: Mapping[str, Mapping[str, int]],
) -> Drift | None:
    """Return how far a feature is from its baseline, or None where that is not asked for or can't be told."""
    options = constraint.options["distribution_constraints"]
    if options["perform_comparison"] != "Enabled":
        return None
    robust = options["comparison_method"] != "Simple"
    sketch, counts = sketches.get(constraint.name), categories.get(constraint.name)
    if constraint.type in NUMERIC and sketch is not None and sketch.count and column.numbers is not None:
        distance = number_distance(sketch, column.numbers.sketch, robust=robust)
        threshold = options["comparison_threshold"]
        return Drift(distance, threshold, distance > threshold)
    if counts and column.categories:
        threshold = options["categorical_comparison_threshold"]
        if options["categorical_drift_method"] == "ChiSquared":
            probability = category_probability(counts, column.categories)
            return Drift(probability, threshold, probability < threshold)
        distance = category_distance(counts, column.categories, robust=robust)
        return Drift(distance, threshold, distance > threshold)
    return None


def _share_inside(column: Measured, domain: Sequence[str]) -> float:
    """Return the share of values in a domain; a column with too many values to be counted has hardly one in it."""
    return 1.0 - outside(column.categories, domain) if column.categories else 0.0
