"""How far values moved from what a baseline counted: distances, and how likely chance alone is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Points = Sequence[tuple[float, int]]
"""A value, and how many of the reference have at most it; ascending, the last counts all."""
BINS = 10
FEWEST_EXPECTED = 5.0
"""Rows a category must be expected to have for the chi-squared test; those with fewer are counted together."""
REST = "(all others)"


@dataclass(frozen=True)
class Distance:
    """How far a column moved.

    `distance` is the largest difference of two distribution functions (Kolmogorov-Smirnov), or half the sum of the
    differences of a category's shares (total variation): 0 to 1. `psi` is the population stability index,
    `wasserstein` the mean way that a value moved in standard deviations (None for categories), `p_value` how likely
    chance alone moves it so far. `bins`: (what, share of the reference, share now).
    """

    distance: float
    psi: float
    wasserstein: float | None
    p_value: float
    bins: tuple[tuple[str, float, float], ...]


def number_distance(points: Points, std: float, values: Numbers) -> Distance:
    """Compare finite numbers with the counted ones.

    The distribution functions are compared at the counted values only, so that the Kolmogorov-Smirnov distance is never
    overstated. Sources: Smirnov, Table for estimating the goodness of fit, 1948; Kantorovich, 1942.
    """
    from scipy.stats import kstwobign

    at = np.array([value for value, _ in points])
    counted = np.array([count for _, count in points], dtype=np.float64)
    reference, rows = counted[-1], len(values)
    ordered = np.sort(values)
    now = np.searchsorted(ordered, at, side="right") / rows
    largest = float(np.abs(counted / reference - now).max())
    effective = math.sqrt(reference * rows / (reference + rows))
    levels = (np.arange(200) + 0.5) / 200
    before_values = at[np.minimum(np.searchsorted(counted, levels * reference), len(at) - 1)]
    now_values = ordered[np.minimum((levels * rows).astype(np.int64), rows - 1)]
    scale = std or abs(float(at[-1])) or 1.0
    moved = float(np.abs(before_values / scale - now_values / scale).mean())
    bins = _number_bins(at, counted / reference, ordered)
    psi = stability_index(np.array([b for _, b, _ in bins]), np.array([n for _, _, n in bins]), reference, rows)
    return Distance(largest, psi, moved, float(kstwobign.sf(effective * largest)), bins)


def category_distance(expected: Mapping[str, float], observed: Mapping[str, float]) -> Distance:
    """Compare how often each label was counted before and now. Source: Pearson, chi-squared test, 1900."""
    from scipy.stats import chi2_contingency

    before, now = sum(expected.values()), sum(observed.values())
    together = _pooled(expected, observed)
    first = np.array([pair[0] for pair in together.values()])
    second = np.array([pair[1] for pair in together.values()])
    p_value = 1.0
    if len(together) > 1:
        p_value = float(chi2_contingency(np.array([first, second]), correction=False).pvalue)
    bins = tuple((name, b / before, n / now) for name, (b, n) in together.items())
    total_variation = float(np.abs(first / before - second / now).sum() / 2)
    psi = stability_index(first / before, second / now, before, now)
    return Distance(total_variation, psi, None, p_value, bins)


def stability_index(before: Numbers, now: Numbers, reference: float, rows: float) -> float:
    """Return the population stability index of shares: below 0.1 is little, above 0.25 much.

    Half a row is added to each bin, so that an empty one does not make it infinite.
    """
    first = (before * reference + 0.5) / (reference + 0.5 * len(before))
    second = (now * rows + 0.5) / (rows + 0.5 * len(now))
    return float(((second - first) * np.log(second / first)).sum())


def share_p_value(before: int, reference: int, now: int, rows: int) -> float:
    """Return how likely chance alone makes two shares differ so much. Source: Fisher's exact test."""
    from scipy.stats import fisher_exact

    return float(fisher_exact([[before, reference - before], [now, rows - now]]).pvalue)


def outside_p_value(known: int, outside: int, rows: int, rarest: int) -> float:
    """Return how likely `outside` of new rows lie beyond what was seen in `known`, where nothing changed.

    `rarest` is 1 for the range of a number (its two ends) and the labels seen only once for categories: the share
    not seen yet follows a beta distribution, and so the count a beta-binomial one. Source: Good, 1953.
    """
    from scipy.stats import betabinom

    return float(betabinom.sf(outside - 1, rows, rarest + 1, max(1, known - rarest)))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, by the procedure of Benjamini and Hochberg (1995)."""
    from scipy.stats import false_discovery_control

    return [float(value) for value in false_discovery_control(np.clip(p_values, 0.0, 1.0))] if p_values else []


def _number_bins(at: Numbers, cumulative: Numbers, ordered: Numbers) -> tuple[tuple[str, float, float], ...]:
    """Share out numbers over bins with about a tenth of the reference each."""
    if len(at) <= BINS:
        places = np.arange(len(at))
    else:
        wanted = np.searchsorted(cumulative, np.arange(1, BINS) / BINS - 1e-12)
        places = np.unique(np.append(wanted, len(at) - 1))
    edges = at[places]
    before = np.diff(cumulative[places], prepend=0.0)
    counts = np.searchsorted(ordered, edges, side="right") / len(ordered)
    counts[-1] = 1.0  # what lies beyond the largest value counts in the last bin
    now = np.diff(counts, prepend=0.0)
    exact = len(at) <= BINS
    starts = [at[0], *edges[:-1]]
    names = [
        f"{edge:.4g}" if exact else f"{start:.4g} to {edge:.4g}" for start, edge in zip(starts, edges, strict=True)
    ]
    return tuple((name, float(b), float(n)) for name, b, n in zip(names, before, now, strict=True))


def _pooled(expected: Mapping[str, float], observed: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    before, now = sum(expected.values()), sum(observed.values())
    least = min(before, now) / (before + now)
    kept: dict[str, tuple[float, float]] = {}
    rest = (0.0, 0.0)
    for name in dict.fromkeys((*expected, *observed)):
        pair = (float(expected.get(name, 0)), float(observed.get(name, 0)))
        if sum(pair) * least >= FEWEST_EXPECTED:
            kept[name] = pair
        else:
            rest = (rest[0] + pair[0], rest[1] + pair[1])
    return kept | {REST: rest} if sum(rest) else kept
