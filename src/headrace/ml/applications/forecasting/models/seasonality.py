"""The seasons of one series: whether it has them, and what is left without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_LIMIT = 1.645
"""Of the normal distribution: the share of 90 % that lies between its negative and itself."""
RATES = np.array([1.0, 0.9, 0.8, 0.7, 0.5, 0.3])
"""What a cycle counts beside the one after it."""
_SMOOTH_FROM = 100
_LEAST_FACTOR = 0.01


@dataclass(frozen=True)
class Seasons:
    """Patterns by length of season: what to add to the remainder, or to multiply it by.

    `patterns` begin at the series' first value; there are none where no season was found.
    """

    patterns: tuple[Floats, ...] = ()
    multiplicative: bool = False

    def at(self, first: int, count: int) -> Floats:
        """Return the seasonal part of `count` periods from number `first` on, where the series begins with 0."""
        place = np.arange(first, first + count)
        found = np.full(count, 1.0 if self.multiplicative else 0.0)
        for pattern in self.patterns:
            part = pattern[place % len(pattern)]
            found = found * part if self.multiplicative else found + part
        return found

    def remove(self, values: Floats) -> Floats:
        """Return the series without its seasons."""
        part = self.at(0, len(values))
        return values / part if self.multiplicative else values - part


def is_seasonal(values: Floats, season: int) -> bool:
    """Tell whether the autocorrelation at a season's distance is above chance, once a moving average is taken out."""
    if season < 2 or len(values) < 2 * season + 1:
        return False
    away = values - moving_average(values, season)
    away = away[~np.isnan(away)]
    if len(away) <= season + 1:
        return True
    found = autocorrelations(away, season)
    return bool(found[-1] > _LIMIT * np.sqrt((1 + 2 * (found[:-1] ** 2).sum()) / len(away)))


def autocorrelations(values: Floats, lags: int) -> Floats:
    """Return the autocorrelations at distances 1 to `lags`; 0 of a constant series."""
    away = values - values.mean()
    size = 1 << int(2 * len(away) - 1).bit_length()
    spectrum = np.fft.rfft(away, size)
    sums = np.fft.irfft(spectrum * spectrum.conj(), size)[: lags + 1]
    return np.asarray(sums[1:] / sums[0] if sums[0] > 1e-12 else np.zeros(lags), np.float64)


def moving_average(values: Floats, window: int) -> Floats:
    """Return the mean of the `window` values around each (2 x `window` where it is even), NaN at both ends."""
    weights = np.ones(window) if window % 2 else np.concatenate([[0.5], np.ones(window - 1), [0.5]])
    reach = len(weights) // 2
    sums = np.concatenate([[0.0], np.cumsum(values)])
    inner = sums[window:] - sums[:-window]
    if window % 2 == 0:
        inner = (inner[1:] + inner[:-1]) / 2
    found = np.full(len(values), np.nan)
    found[reach : reach + len(inner)] = inner / window
    return found


def find_seasons(values: Floats, lengths: Sequence[int], *, multiplicative: bool | None = None) -> Seasons:
    """Return the seasonal patterns of a series for those of `lengths` that it has and lasts twice.

    Classical decomposition, but for newer cycles counting more where that would have foretold better: means of each
    phase after a moving average is taken out, shrunk by how much of them is noise. A longer season adds what the
    shorter ones leave. `multiplicative` None takes what explains more.
    """
    usable = [m for m in sorted(lengths) if m > 1 and len(values) >= 2 * m]
    if not usable or float(np.ptp(values)) < 1e-12:
        return Seasons()
    long = usable[-1]
    if not any(is_seasonal(values, m) for m in usable):
        return Seasons()
    trend = moving_average(values, long)
    known = ~np.isnan(trend)
    forms = [False, True] if multiplicative is None else [multiplicative]
    if values.min() <= 0 or trend[known].min() <= 0:
        forms = [False]
    found: list[tuple[float, Seasons]] = []
    for form in forms:
        seasons = _patterns(values / trend if form else values - trend, known, usable, multiplicative=form)
        part = seasons.at(0, len(values))
        if form and part.min() < _LEAST_FACTOR:
            continue
        left = values - (trend * part if form else trend + part)
        found.append((float(np.square(left[known]).sum()), seasons))
    if not found:
        return find_seasons(values, lengths, multiplicative=False)
    return min(found, key=lambda pair: pair[0])[1]


def _patterns(left: Floats, known: npt.NDArray[np.bool_], lengths: Sequence[int], *, multiplicative: bool) -> Seasons:
    from headrace.ml.applications.forecasting.models.loops.patterns import recent_pattern

    first, neutral = int(np.argmax(known)), 1.0 if multiplicative else 0.0
    rest, patterns = left[known] - neutral, []
    place = first + np.arange(len(rest))
    for position, m in enumerate(lengths):
        pattern, noise = recent_pattern(rest, first, m, RATES)
        pattern = pattern - pattern.mean()
        pattern *= max(0.0, 1.0 - noise / max(float(pattern.var()), 1e-300))
        if position and m >= _SMOOTH_FROM and m % lengths[0]:
            pattern = _smooth_circle(pattern, m // 24)
        part = (neutral + pattern)[place % m]
        rest = (rest + neutral) / part - neutral if multiplicative else rest - part
        patterns.append(neutral + pattern)
    return Seasons(tuple(patterns), multiplicative)


def _smooth_circle(pattern: Floats, window: int) -> Floats:
    reach = max(1, window // 2)
    around = np.concatenate([pattern[-reach:], pattern, pattern[:reach]])
    return np.convolve(around, np.full(2 * reach + 1, 1.0 / (2 * reach + 1)), "valid")
