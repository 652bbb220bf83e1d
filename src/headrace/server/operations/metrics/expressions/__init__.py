"""Metric math: a small language of its own, read and computed without eval; source: AWS, "Using metric math"."""

from headrace.server.operations.metrics.expressions.grammar import Expression, parse
from headrace.server.operations.metrics.expressions.values import Series

__all__ = ["Expression", "Series", "parse"]
