"""Evaluation of association rules: which hold on other baskets, and whether recommending by them helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.prediction.recommending import MOST, RuleSet
from headrace.ml.process.datasets.baskets import Baskets
from headrace.ml.process.training.rules import RuleMining

_MOST_BASKETS = 3_000
_REPLICATES = 1_000
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class RuleEvaluation:
    """What the rules are worth on the test baskets; all is plain JSON data.

    `metrics`: part → confirmed and hit_rate; `intervals`: metric → [low, high] (95 %). `baseline`: the hit rate of the
    most frequent items. `gain`: {value, low, high}, hit rate less baseline's on the same baskets. `rules`: the figures
    of each rule, on the baskets learnt from and on the test part; `confirmed` where chance does not explain the
    latter either (Fisher's exact test, false discoveries below 5 %).
    """

    metrics: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, tuple[float, float]]
    baseline: Mapping[str, Any]
    gain: Mapping[str, float]
    rules: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()


def evaluate_rules(
    data: Baskets, training: RuleMining, rules: RuleSet, test: Sequence[int], *, seed: int
) -> RuleEvaluation:
    """Confirm the rules on the `test` baskets (positions) once, and recommend an item that was hidden from each."""
    held = data.held[list(test)]
    confirmed = _confirm(held, training, data.items)
    metrics: dict[str, dict[str, float]] = {"train": {}, "validation": {}, "test": {}}
    intervals: dict[str, tuple[float, float]] = {}
    random = np.random.default_rng([seed, 8])
    if confirmed:
        flags = np.array([rule["confirmed"] for rule in confirmed], float)
        metrics["test"]["confirmed"] = float(flags.mean())
        intervals["confirmed"] = _interval(flags, random)
    hits, plain = _hits(held, rules, random)
    baseline: dict[str, Any] = {"name": "the most frequent items", "metrics": {}}
    gain: dict[str, float] = {}
    if len(hits):
        metrics["test"]["hit_rate"] = float(hits.mean())
        intervals["hit_rate"] = _interval(hits, random)
        baseline["metrics"]["hit_rate"] = float(plain.mean())
        low, high = _interval(hits - plain, random)
        gain = {"value": float((hits - plain).mean()), "low": low, "high": high}
    return RuleEvaluation(metrics, intervals, baseline, gain, tuple(confirmed))


def _confirm(held: npt.NDArray[np.bool_], training: RuleMining, items: Sequence[str]) -> list[dict[str, Any]]:
    from headrace.ml.process.training.rules.chance import chance, false_discoveries

    if not training.rules:
        return []
    baskets = len(held)
    before = np.array([held[:, list(r.antecedent)].all(axis=1).sum() for r in training.rules], float)
    after = held.sum(axis=0)[[r.consequent for r in training.rules]].astype(float)
    whole = np.array([held[:, [*r.antecedent, r.consequent]].all(axis=1).sum() for r in training.rules], float)
    p_values = false_discoveries(chance(whole, before, after, baskets))
    with np.errstate(divide="ignore", invalid="ignore"):
        confidence = whole / before
        lift = confidence * baskets / after
    return [
        asdict(rule)
        | {
            "antecedent": [items[i] for i in rule.antecedent],
            "consequent": items[rule.consequent],
            "test_support": float(whole[place] / baskets),
            "test_confidence": float(confidence[place]) if before[place] else None,
            "test_lift": float(lift[place]) if before[place] and after[place] else None,
            "test_p_value": float(p_values[place]),
            "confirmed": bool(p_values[place] < _SIGNIFICANT and lift[place] > 1),
        }
        for place, rule in enumerate(training.rules)
    ]


def _hits(
    held: npt.NDArray[np.bool_], rules: RuleSet, random: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Hide an item of each basket of two or more, and return whether it is recommended: by rules, by frequency."""
    baskets = held[held.sum(axis=1) > 1]
    baskets = baskets[random.permutation(len(baskets))[:_MOST_BASKETS]]
    hidden = np.array([random.choice(np.flatnonzero(basket)) for basket in baskets], np.int64)
    rest = baskets.copy()
    rest[np.arange(len(rest)), hidden] = False
    by_rules = rules.recommend(rest)
    ranks = [rules.popular[~basket[rules.popular]][:MOST] for basket in rest]
    hits = [float(item in dict(found)) for item, found in zip(hidden.tolist(), by_rules, strict=True)]
    plain = [float(item in found) for item, found in zip(hidden, ranks, strict=True)]
    return np.array(hits), np.array(plain)


def _interval(values: npt.NDArray[np.float64], random: np.random.Generator) -> tuple[float, float]:
    drawn = values[random.integers(0, len(values), (_REPLICATES, len(values)))].mean(axis=1)
    return float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))
