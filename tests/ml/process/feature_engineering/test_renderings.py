from __future__ import annotations

import numpy as np

from headrace.ml.adapters.renumbering import CODE, INDICATOR, OTHER
from headrace.ml.contract import View
from headrace.ml.process.feature_engineering.renderings import renderings


def test_a_column_of_several_levels_has_a_code_and_indicators(fit) -> None:
    plan = fit(2)[0]
    names, kinds = plan.names(View.TREES), renderings(plan, View.TREES)
    assert len(kinds) == len(names)
    indicators = [name for name, kind in zip(names, kinds, strict=True) if kind == INDICATOR]
    assert {name.partition(" = ")[0] for name in indicators} == {"colour"}
    assert [name for name, kind in zip(names, kinds, strict=True) if kind == CODE] == ["colour: code"]
    assert kinds[names.index("size")] == kinds[names.index("shop: code")] == OTHER


def test_the_scaled_view_says_nothing_twice(fit) -> None:
    plan = fit(2)[0]
    assert np.array_equal(renderings(plan, View.SCALED), np.zeros(len(plan.names(View.SCALED))))
