"""Whether the model learns too little or by heart: train against held-out rows, and what the curves of training say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics import Metric, bootstrap_interval
from headrace.ml.process.evaluation.measures import sign

_LEARNT_LITTLE = 0.1
_LEARNT_BY_HEART = 0.25


def judge_fitting(
    metric: Metric,
    train: tuple[Target, Predictions],
    held_out: tuple[Target, Predictions],
    baseline: Predictions,
    threshold: float,
    *,
    seed: int,
    replicates: int = 200,
) -> dict[str, Any]:
    """Compare the metric on seen rows with that on held-out rows, both as progress from the baseline to perfection.

    `verdict` is underfitting where even seen rows are little better than the baseline, overfitting where a good part of
    what was learnt holds for seen rows only and the gap exceeds the noise, else good.
    """
    seen, unseen = metric.score(*train, threshold), metric.score(*held_out, threshold)
    floor = metric.score(held_out[0], baseline, threshold)
    if not np.isfinite([seen, unseen, floor]).all():
        return {
            "verdict": "good",
            "evidence": f"{metric.title} cannot be computed on these rows, so nothing speaks against.",
        }
    perfect = 1.0 if metric.greater_is_better else 0.0
    span = perfect - floor or 1.0
    progress, kept = (seen - floor) / span, (unseen - floor) / span
    low, high = bootstrap_interval(metric, *held_out, threshold, seed=seed, replicates=replicates)
    outside = sign(metric) * (seen - unseen) > (high - low) / 2
    verdict = "good"
    if progress < _LEARNT_LITTLE:
        verdict = "underfitting"
    elif outside and progress - kept > max(_LEARNT_BY_HEART, 0.25 * progress):
        verdict = "overfitting"
    reading = {
        "underfitting": "even rows that it has seen are hardly predicted better than by the baseline",
        "overfitting": "a good part of what it learnt holds only for rows that it has seen",
        "good": "what it learnt holds for rows that it has not seen",
    }[verdict]
    evidence = (
        f"{metric.title} is {seen:.4g} on seen and {unseen:.4g} on held-out rows (baseline {floor:.4g}): {reading}."
    )
    return {"verdict": verdict, "evidence": evidence, "train": seen, "validation": unseen, "baseline": floor}


def read_bias_variance(parts: Mapping[str, Any]) -> str:
    """Say in plain words which part of the error is the larger one; "" where it was not measured."""
    bias, variance = parts.get("bias"), parts.get("variance")
    if not isinstance(bias, int | float) or not isinstance(variance, int | float) or bias + variance <= 0:
        return ""
    if variance > bias:
        return (
            "More of the error comes from which rows were seen (variance) than from what the model cannot express "
            "(bias): more rows or a simpler model would help."
        )
    return (
        "More of the error comes from what the model cannot express (bias) than from which rows were seen (variance): "
        "better features would help more than more rows."
    )
