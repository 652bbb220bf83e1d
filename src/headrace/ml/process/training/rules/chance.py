"""Whether a rule can be chance: Fisher's exact test, and corrections for many rules."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.threads import import_library

Values = npt.NDArray[np.float64]


def chance(whole: Values, before: Values, after: Values, baskets: Values | int) -> Values:
    """Return how likely chance alone puts at least `whole` of `before` baskets among the `after` of all [rules].

    Fisher's exact test, one-sided: the tail of the hypergeometric distribution.
    """
    return np.asarray(import_library("scipy.stats").hypergeom.sf(whole - 1, baskets, before, after))


def false_discoveries(p_values: Values) -> Values:
    """Return p-values corrected so that a bound on them bounds the share of false ones (Benjamini, Hochberg 1995)."""
    count = len(p_values)
    order = np.argsort(-p_values, kind="stable")
    corrected = np.minimum.accumulate(p_values[order] * count / np.arange(count, 0, -1))
    result = np.empty(count)
    result[order] = np.minimum(corrected, 1.0)
    return result
