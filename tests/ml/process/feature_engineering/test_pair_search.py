"""Pairs of columns that explain what is left of the target."""

import numpy as np
import polars as pl

from headrace.ml.contract import View
from headrace.ml.process.feature_engineering.pair_search import propose_pairs


def test_one_number_column_makes_no_pair_but_may_have_a_square():
    frame = pl.DataFrame({"a": np.random.default_rng(0).normal(size=300)})
    square = frame["a"].to_numpy()[:, None] ** 2
    assert propose_pairs("number pairs", View.TREES, frame, ["a"], square, square - square.mean()) is None
    assert propose_pairs("products", View.SCALED, frame, ["a"], square, square - square.mean()) is not None
