"""Adam, with gradients cut to a length and a step that warms up and fades out."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy import float32
from numpy.typing import NDArray

Array = NDArray[np.floating]
FIRST_MOMENT, SECOND_MOMENT = 0.9, 0.999


class Adam:
    """Moves parameters in place (Kingma and Ba, 2015); `longest` bounds the gradient's norm over all of them."""

    def __init__(self, parameters: dict[str, Array], *, weight_decay: float = 0.0, longest: float = 10.0) -> None:
        self._parameters, self._weight_decay, self._longest = parameters, weight_decay, longest
        self._steps = 0
        self._first = {name: np.zeros_like(each) for name, each in parameters.items()}
        self._second = {name: np.zeros_like(each) for name, each in parameters.items()}

    def step(self, gradient: Mapping[str, Array], size: float) -> None:
        """Move every parameter against its gradient, by about `size`; a gradient that is not finite moves nothing."""
        length = math.sqrt(sum(float(np.vdot(slope, slope)) for slope in gradient.values()))
        if not math.isfinite(length):
            return
        self._steps += 1
        cut = float32(min(1.0, self._longest / max(length, 1e-12)))
        unbiased_first, unbiased_second = 1 - FIRST_MOMENT**self._steps, 1 - SECOND_MOMENT**self._steps
        for name, slope in gradient.items():
            own, first, second = self._parameters[name], self._first[name], self._second[name]
            slope = slope * cut
            first += float32(1 - FIRST_MOMENT) * (slope - first)
            second += float32(1 - SECOND_MOMENT) * (slope * slope - second)
            if self._weight_decay and own.ndim > 1:
                own *= float32(1 - size * self._weight_decay)
            spread = np.sqrt(second * float32(1 / unbiased_second)) + float32(1e-8)
            own -= float32(size / unbiased_first) * first / spread


def fading(done: float, *, warm: float = 0.02) -> float:
    """Return the share of the largest step when the share `done` of training is over: up at first, then a cosine."""
    if done < warm:
        return max(done / warm, 0.05)
    return max(0.02, 0.5 * (1 + math.cos(math.pi * min(1.0, (done - warm) / (1 - warm)))))
