"""The distributions that DeepAR draws a period's value from: losses with their slopes, and draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from headrace.ml.errors import OptionError

Array = NDArray[np.floating]
SMALLEST = 1e-5
EDGE = 1e-4
"""How near to 0 and 1 a value of the beta distribution is taken to be."""


class Likelihood(ABC):
    """A distribution whose parameters the network's raw outputs [..., outputs] give.

    `scale` [...] is the item's own size; values are divided by it before they come in, and draws are multiplied
    afterwards, by whoever calls. Only the negative binomial needs it, as counts have no unit.
    """

    name: ClassVar[str]
    outputs: ClassVar[int]
    scaled: ClassVar[bool] = True

    @abstractmethod
    def loss(self, raw: Array, value: Array, scale: Array) -> tuple[Array, Array]:
        """Return the negative log likelihood [...] of values [...], and its slope by `raw` [..., outputs]."""

    @abstractmethod
    def draw(self, random: np.random.Generator, raw: Array, scale: Array) -> Array:
        """Draw a value [...] from each distribution."""


class StudentT(Likelihood):
    """Real values with heavy tails: centre, spread and degrees of freedom above 2."""

    name, outputs = "student-T", 3

    def loss(self, raw: Array, value: Array, scale: Array) -> tuple[Array, Array]:
        """See `Likelihood.loss`."""
        del scale
        from scipy.special import digamma, gammaln

        spread, bend = _positive(raw[..., 1])
        freedom, turn = _positive(raw[..., 2])
        freedom = freedom + 2
        away = (value - raw[..., 0]) / spread
        square = away * away
        grown = np.log1p(square / freedom)
        tail = (freedom + 1) / (freedom + square)
        loss = (
            gammaln(freedom / 2)
            - gammaln((freedom + 1) / 2)
            + 0.5 * np.log(np.pi * freedom)
            + np.log(spread)
            + (freedom + 1) / 2 * grown
        )
        by_freedom = 0.5 * (
            digamma(freedom / 2)
            - digamma((freedom + 1) / 2)
            + 1 / freedom
            + grown
            - (freedom + 1) * square / (freedom * (freedom + square))
        )
        slope = np.stack([-tail * away / spread, (1 - tail * square) / spread * bend, by_freedom * turn], axis=-1)
        return loss, slope

    def draw(self, random: np.random.Generator, raw: Array, scale: Array) -> Array:
        """See `Likelihood.draw`."""
        del scale
        freedom = _positive(raw[..., 2])[0] + 2
        return np.asarray(raw[..., 0] + _positive(raw[..., 1])[0] * random.standard_t(freedom))


class Gaussian(Likelihood):
    """Real values: mean and standard deviation."""

    name, outputs = "gaussian", 2

    def loss(self, raw: Array, value: Array, scale: Array) -> tuple[Array, Array]:
        """See `Likelihood.loss`."""
        del scale
        spread, bend = _positive(raw[..., 1])
        away = (value - raw[..., 0]) / spread
        loss = 0.5 * (np.log(2 * np.pi) + away * away) + np.log(spread)
        return loss, np.stack([-away / spread, (1 - away * away) / spread * bend], axis=-1)

    def draw(self, random: np.random.Generator, raw: Array, scale: Array) -> Array:
        """See `Likelihood.draw`."""
        del scale
        return np.asarray(random.normal(raw[..., 0], _positive(raw[..., 1])[0]))


class NegativeBinomial(Likelihood):
    """Counts: mean and shape, so that the variance is mean + shape * mean squared (Salinas et al., 2020)."""

    name, outputs = "negative-binomial", 2

    def loss(self, raw: Array, value: Array, scale: Array) -> tuple[Array, Array]:
        """See `Likelihood.loss`."""
        from scipy.special import digamma, gammaln

        count = np.maximum(value * scale, 0)
        mean, bend, size, turn = self._parameters(raw, scale)
        loss = (
            gammaln(count + 1)
            + gammaln(size)
            - gammaln(count + size)
            - size * np.log(size / (size + mean))
            - count * np.log(mean / (size + mean))
        )
        by_mean = (count + size) / (size + mean) - count / mean
        by_size = (
            digamma(size) - digamma(count + size) - np.log(size / (size + mean)) - 1 + (size + count) / (size + mean)
        )
        return loss, np.stack([by_mean * bend, by_size * turn], axis=-1)

    def draw(self, random: np.random.Generator, raw: Array, scale: Array) -> Array:
        """See `Likelihood.draw`."""
        mean, _, size, _ = self._parameters(raw, scale)
        rate = random.gamma(size, mean / size)
        return np.asarray(random.poisson(np.minimum(rate, 1e15)) / scale)

    def _parameters(self, raw: Array, scale: Array) -> tuple[Array, Array, Array, Array]:
        """Mean and its slope, size (one by the shape) and its slope, in double."""
        unit, bend = _positive(raw[..., 0].astype(np.float64))
        shape, turn = _positive(raw[..., 1].astype(np.float64))
        root = np.sqrt(scale)
        size = root / shape
        return unit * scale, bend * scale, size, -size / shape * turn


class Beta(Likelihood):
    """Shares from 0 to 1: the two shapes of a beta distribution."""

    name, outputs, scaled = "beta", 2, False

    def loss(self, raw: Array, value: Array, scale: Array) -> tuple[Array, Array]:
        """See `Likelihood.loss`."""
        del scale
        from scipy.special import betaln, digamma

        up, bend = _positive(raw[..., 0])
        down, turn = _positive(raw[..., 1])
        share = np.clip(value, EDGE, 1 - EDGE)
        rise, fall, both = np.log(share), np.log1p(-share), digamma(up + down)
        loss = betaln(up, down) - (up - 1) * rise - (down - 1) * fall
        by_up, by_down = digamma(up) - both - rise, digamma(down) - both - fall
        return loss, np.stack([by_up * bend, by_down * turn], axis=-1)

    def draw(self, random: np.random.Generator, raw: Array, scale: Array) -> Array:
        """See `Likelihood.draw`."""
        del scale
        return np.asarray(random.beta(_positive(raw[..., 0])[0], _positive(raw[..., 1])[0]))


class Absolute(Likelihood):
    """No distribution: the median alone, by the absolute error; every draw is the same."""

    name, outputs = "deterministic-L1", 1

    def loss(self, raw: Array, value: Array, scale: Array) -> tuple[Array, Array]:
        """See `Likelihood.loss`."""
        del scale
        away = raw[..., 0] - value
        return np.abs(away), np.sign(away)[..., None]

    def draw(self, random: np.random.Generator, raw: Array, scale: Array) -> Array:
        """See `Likelihood.draw`."""
        del random, scale
        return np.array(raw[..., 0])


LIKELIHOODS: Mapping[str, Likelihood] = {
    each.name: each for each in (StudentT(), Gaussian(), NegativeBinomial(), Beta(), Absolute())
}


def find_likelihood(name: str) -> Likelihood:
    """Return the likelihood of this name; raises OptionError where there is none."""
    if name not in LIKELIHOODS:
        raise OptionError(f"there is no likelihood '{name}'; take one of {', '.join(LIKELIHOODS)}")
    return LIKELIHOODS[name]


def _positive(raw: Array) -> tuple[Array, Array]:
    """A smooth positive number for each raw one, and its slope."""
    return np.logaddexp(0, raw) + raw.dtype.type(SMALLEST), 0.5 + 0.5 * np.tanh(0.5 * raw)
