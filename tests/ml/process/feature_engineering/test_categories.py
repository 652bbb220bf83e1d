"""Category features: codes, one-hot, and grouping for ONNX."""

import numpy as np
import polars as pl

from headrace.ml.process.feature_engineering.categories import OneHot, Vocabulary
from headrace.ml.process.feature_engineering.numpy_execution import NumpyExecution, level_matrix
from headrace.ml.process.feature_engineering.onnx_execution import LARGEST_SHARED, column_groups


def test_codes_follow_frequency_and_have_places_for_unseen_and_missing():
    frame = pl.DataFrame({"a": ["x", "y", "y", "", "z", "z", "z"], "b": ["u"] * 7})
    vocabulary = Vocabulary.fit(frame, ["a", "b"])
    assert vocabulary.levels == (("z", "y", "x"), ("u",))
    new = pl.DataFrame({"a": ["z", "y", "x", "never", "", None], "b": ["u", "never", "", None, "u", "u"]})
    assert level_matrix(new, vocabulary).tolist() == [[0, 5], [1, 6], [2, 7], [3, 7], [4, 5], [4, 5]]


def test_rare_and_unseen_levels_share_a_feature():
    frame = pl.DataFrame({"a": ["x"] * 20 + ["y"] * 10 + ["p", "q"] + [""] * 3})
    vocabulary = Vocabulary.fit(frame, ["a"])
    part = OneHot.fit(vocabulary, level_matrix(frame, vocabulary), [0])
    assert part.names == ("a = x", "a = y", "a = (other)", "a = (missing)")
    block = part.apply(NumpyExecution(pl.DataFrame({"a": ["x", "q", "never", ""]})))
    assert block.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_two_levels_make_one_feature():
    frame = pl.DataFrame({"a": ["yes"] * 20 + ["no"] * 10})
    vocabulary = Vocabulary.fit(frame, ["a"])
    assert OneHot.fit(vocabulary, level_matrix(frame, vocabulary), [0]).names == ("a = no",)


def test_one_hot_features_are_capped():
    frame = pl.DataFrame({f"c{i}": [str(k % 20) for k in range(400)] for i in range(20)})
    vocabulary = Vocabulary.fit(frame, frame.columns)
    assert len(OneHot.fit(vocabulary, level_matrix(frame, vocabulary), range(20), widest=50).names) == 50


def test_narrowing_renumbers():
    frame = pl.DataFrame({"a": ["x", "y"], "b": ["u", "u"], "c": ["p", "q"]})
    vocabulary = Vocabulary.fit(frame, frame.columns)
    narrow, codes = vocabulary.narrowed([0, 2], level_matrix(frame, vocabulary))
    assert narrow.columns == ("a", "c")
    np.testing.assert_array_equal(codes, level_matrix(frame, narrow))


def test_only_columns_of_few_levels_share_an_encoder():
    many = tuple(map(str, range(LARGEST_SHARED + 1)))
    vocabulary = Vocabulary(("a", "b", "c", "d", "e"), (("x",), ("y", "x"), (), many, many))
    assert column_groups(vocabulary) == [[0, 1, 2], [3], [4]]
