"""Training without a label: rules of the form "baskets with these items also have that one", tested against chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.process.datasets.baskets import Baskets
from headrace.ml.process.progress import Progress

LONGEST = 4
_MOST_SETS = 50_000
_FEWEST_BASKETS = 10
_SUPPORT = 0.005
_CONFIDENCE = 0.1
_SIGNIFICANT = 0.05
_MOST_RULES = 1_000
_SHOWN_ITEMS = 100


@dataclass(frozen=True)
class Rule:
    """If a basket has all items of `antecedent`, it also has `consequent`; the figures are of the rows learnt from.

    `support`: share of baskets with all of them; `confidence`: share of those with the antecedent that have the
    consequent; `lift`: confidence over the consequent's share; `leverage`: support less what chance would give;
    `conviction`: how much more often the rule would fail by chance (None: it never fails). `p_value`: Fisher's exact
    test (one-sided), times the number of rules tested (Bonferroni).
    """

    antecedent: tuple[int, ...]
    consequent: int
    support: float
    confidence: float
    lift: float
    leverage: float
    conviction: float | None
    p_value: float


@dataclass(frozen=True)
class RuleMining:
    """The rules found in `learnt` baskets, strongest first, and how the search was bounded."""

    rules: tuple[Rule, ...]
    reason: str
    baskets: int
    least_support: float
    item_sets: int
    tested: int
    items: tuple[Mapping[str, Any], ...]
    popular: npt.NDArray[np.int64]
    notes: tuple[str, ...]


def mine_rules(data: Baskets, learnt: Sequence[int], *, progress: Progress) -> RuleMining:
    """Find frequent sets in the baskets `learnt` (positions), and the rules in them that chance does not explain.

    The least support starts at 0.5 % (at least 10 baskets) and is raised by half until at most 50,000 sets are
    frequent. A rule is kept where its lift is above 1, the corrected p-value below 5 %, and each item of its
    antecedent makes it surer beyond chance.
    """
    from headrace.ml.process.training.rules.itemsets import TooManySets, frequent_sets

    held = data.held[list(learnt)]
    count = len(held)
    least, raised = max(_FEWEST_BASKETS, int(np.ceil(_SUPPORT * count))), 0
    while True:
        progress.tell(f"looking for sets of items in at least {least:,} baskets")
        try:
            sets = frequent_sets(held, least, longest=LONGEST, most=_MOST_SETS)
            break
        except TooManySets:
            least, raised = int(np.ceil(1.5 * least)), raised + 1
    rules, tested = _rules(sets, count)
    notes = []
    if raised:
        notes.append(
            f"The least support was raised to {least / count:.1%} so that at most {_MOST_SETS:,} sets are frequent."
        )
    if len(rules) > _MOST_RULES:
        notes.append(f"Of {len(rules):,} rules, the {_MOST_RULES:,} least likely to be chance are kept.")
    shares = held.mean(axis=0)
    popular = np.argsort(-shares, kind="stable")
    kept = tuple(sorted(rules[:_MOST_RULES], key=lambda r: (-r.lift, -r.support, r.antecedent, r.consequent)))
    reason = (
        f"{len(sets):,} sets of items are in at least {least / count:.1%} of {count:,} baskets; of {tested:,} rules in "
        f"them, {len(rules):,} are more than chance (Fisher's exact test, corrected for all of them) and say more than "
        "a shorter rule."
        if rules
        else f"No rule is more than chance: {tested:,} tested on {count:,} baskets (Fisher's exact test, corrected)."
    )
    return RuleMining(
        rules=kept,
        reason=reason,
        baskets=count,
        least_support=least / count,
        item_sets=len(sets),
        tested=tested,
        items=tuple({"item": data.items[i], "support": float(shares[i])} for i in popular[:_SHOWN_ITEMS]),
        popular=popular,
        notes=tuple(notes),
    )


def _rules(sets: Mapping[tuple[int, ...], int], baskets: int) -> tuple[list[Rule], int]:
    """Return the rules that pass, the least likely first, and how many were tested."""
    from headrace.ml.process.training.rules.chance import chance

    candidates = [
        (tuple(i for i in items if i != consequent), consequent, count)
        for items, count in sets.items()
        if len(items) > 1
        for consequent in items
    ]
    if not candidates:
        return [], 0
    whole = np.array([count for *_, count in candidates], np.float64)
    before = np.array([sets[a] for a, *_ in candidates], np.float64)
    after = np.array([sets[(c,)] for _, c, _ in candidates], np.float64)
    confidence = whole / before
    lift = confidence * baskets / after
    tested = len(candidates)
    p_values = np.minimum(1.0, chance(whole, before, after, baskets) * tested)
    passed = np.flatnonzero((lift > 1) & (p_values < _SIGNIFICANT) & (confidence >= _CONFIDENCE)).tolist()
    tells = _tells_more([candidates[place] for place in passed], sets)
    kept = []
    for place in (place for place, more in zip(passed, tells, strict=True) if more):
        antecedent, consequent, _ = candidates[place]
        share = after[place] / baskets
        fails = 1 - confidence[place]
        kept.append(
            Rule(
                antecedent, consequent, float(whole[place] / baskets), float(confidence[place]), float(lift[place]),
                float(whole[place] / baskets - before[place] / baskets * share),
                float((1 - share) / fails) if fails > 0 else None, float(p_values[place]),
            )
        )  # fmt: skip
    return sorted(kept, key=lambda r: (r.p_value, -r.leverage, r.antecedent, r.consequent)), tested


def _tells_more(
    candidates: Sequence[tuple[tuple[int, ...], int, int]], sets: Mapping[tuple[int, ...], int]
) -> list[bool]:
    """Return for each (antecedent, consequent, baskets with all) whether no item of the antecedent is there by chance.

    Among the baskets with the other items of the antecedent, those with the item must have the consequent more often:
    Fisher's exact test at 5 % for each item (the productive rules of Webb, 2007).
    """
    from headrace.ml.process.training.rules.chance import chance

    owners, tests = [], []
    for owner, (antecedent, consequent, whole) in enumerate(candidates):
        for place in range(len(antecedent) if len(antecedent) > 1 else 0):
            shorter = antecedent[:place] + antecedent[place + 1 :]
            owners.append(owner)
            tests.append((whole, sets[antecedent], sets[tuple(sorted((*shorter, consequent)))], sets[shorter]))
    more = np.ones(len(candidates), bool)
    if tests:
        whole, before, after, all_of_them = np.array(tests, np.float64).T
        more[np.array(owners)[chance(whole, before, after, all_of_them) >= _SIGNIFICANT]] = False
    return [bool(one) for one in more]
