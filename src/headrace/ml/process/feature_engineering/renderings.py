"""Which features of the trees' view say the same in two ways: a category's code, and its levels one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.renumbering import CODE, INDICATOR, OTHER
from headrace.ml.contract import View
from headrace.ml.process.feature_engineering.categories import OneHot
from headrace.ml.process.feature_engineering.plan import FittedPlan


def renderings(plan: FittedPlan, view: View) -> npt.NDArray[np.int8]:
    """Return for each feature of a view whether it is an indicator, the code of a column with indicators, or other."""
    parts = plan.parts(view)
    if view != View.TREES:
        return np.zeros(len(plan.names(view)), np.int8)
    twice = {f"{part.vocabulary.columns[i]}: code" for part in parts if isinstance(part, OneHot) for i in part.places}
    kinds = [
        INDICATOR if isinstance(part, OneHot) else CODE if name in twice else OTHER
        for part in parts
        for name in part.names
    ]
    return np.array(kinds, np.int8)
