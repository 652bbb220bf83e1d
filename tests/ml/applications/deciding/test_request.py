"""What can be asked for, and what is refused with one sentence."""

from __future__ import annotations

import math

import pytest

from headrace.ml.applications.deciding import Request, parse_bounds
from headrace.ml.errors import OptionError


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cost_fn": -1}, "--cost-fn -1 is negative"),
        ({"cost_fp": math.nan}, "--cost-fp nan is not an amount"),
        ({"gain_tp": math.inf}, "--gain-tp inf is not an amount"),
        ({"gain_tn": 1e300}, "count in thousands or millions"),
        ({"cost_under": True}, "--cost-under True is not an amount"),
        ({"cost_tp": 1, "gain_tp": 1}, "are given both"),
        ({"currency": ""}, "is no name of one"),
        ({"currency": "\x1b[31mEUR"}, "is no name of one"),
        ({"threshold": 1.5}, "threshold 1.5 is not a probability"),
        ({"at_least": {"recal": 0.8}}, "'recal' is no metric; did you mean"),
        ({"at_least": {"roc_auc": 0.8}}, "'roc_auc' does not depend on the threshold"),
        ({"at_most": {"share": 25}}, "write 0.8 or 80% for 80 %"),
        ({"at_most": {"mcc": math.nan}}, "is not a number"),
    ],
)
def test_values_that_mean_nothing_are_refused(given, said):
    with pytest.raises(OptionError, match=said):
        Request(**given)


def test_bounds_are_read():
    assert parse_bounds(["recall=0.8", "share=25%", "F1-score = 0.5"], "--at-least") == {
        "recall": 0.8, "share": 0.25, "f1": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["recall", "recall=", "recall=high", "recall=nan", "=", ""])
def test_texts_that_are_no_bounds_are_refused(text):
    with pytest.raises(OptionError, match=r"write it as recall=0\.8"):
        parse_bounds([text], "--at-least")
