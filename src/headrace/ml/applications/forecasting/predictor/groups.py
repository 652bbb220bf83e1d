"""Kinds of series: what is learnt of an item's model is also believed of others of its kind."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.panel import Panel

KINDS = ("short, steady", "long, steady", "short, intermittent", "long, intermittent")
_SEASONS, _ZEROS = 3, 0.3


def kinds_of(panel: Panel) -> npt.NDArray[np.int64]:
    """Return the kind of each item, [n], a position in `KINDS`: by three seasons of history, and 30 % of zeros."""
    lengths = panel.lengths
    zeros = np.concatenate([np.zeros(1), np.cumsum(panel.values == 0.0)])
    share = (zeros[panel.offsets[1:]] - zeros[panel.offsets[:-1]]) / np.maximum(lengths, 1)
    long = lengths >= _SEASONS * max(panel.frequency.season, 4)
    kinds: npt.NDArray[np.int64] = long.astype(np.int64) + 2 * (share >= _ZEROS).astype(np.int64)
    return kinds
