"""Scores of texts: both executions, cross-fitting, and what they say."""

import numpy as np
import polars as pl
import pytest
from onnx import TensorProto
from sklearn.feature_extraction.text import TfidfVectorizer

from headrace.ml.adapters.onnx_graph import OnnxGraph
from headrace.ml.prediction.session import open_session
from headrace.ml.process.feature_engineering.numpy_execution import CrossFittedExecution, NumpyExecution
from headrace.ml.process.feature_engineering.onnx_execution import OnnxExecution
from headrace.ml.process.feature_engineering.target_encoding import FOLDS
from headrace.ml.process.feature_engineering.text_scores import (
    MOST_CELLS,
    TextScores,
    TextVectors,
    fit_scores,
)
from headrace.ml.process.feature_engineering.text_strength import choose_strengths, measure_strengths
from headrace.ml.tables.columns import Column, ColumnKind

WORDS = [f"word{i}" for i in range(60)]


def remarks(rows=300, classes=3, seed=0):
    """Texts of random words; of the first two words, the class's own comes often."""
    random = np.random.default_rng(seed)
    target = random.integers(0, classes, rows)
    texts = []
    for code in target:
        own = [f"sign{code}"] if random.random() < 0.8 else []
        texts.append(" ".join([*random.choice(WORDS, random.integers(0, 9)), *own, *random.choice(WORDS, 2)]))
    return pl.Series("t", texts), target, random.permutation(rows) % FOLDS


def run_onnx(part, texts):
    graph = OnnxGraph()
    source = graph.input("t", TensorProto.STRING, ["rows", 1])
    graph.output("out", part.apply(OnnxExecution(graph, {"t": source})).name, TensorProto.FLOAT, ["rows", "width"])
    session = open_session(graph.model().SerializeToString(), "test")
    return session.run(None, {"t": np.array(texts, object).reshape(-1, 1)})[0]


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_both_executions_agree(classes):
    text, target, folds = remarks(classes=max(classes, 2))
    values = target if classes else target + np.random.default_rng(0).normal(size=len(target))
    part, _ = fit_scores("t", text, values, folds, classes=classes, strength=1.0, seed=0)
    odd = ["", "unknown words", "word1", "word1 word2", " ".join(["sign0"] * 9), "word3 " * 3 + "sign1 word3 word4"]
    texts = [*text.to_list(), *odd]
    expected = part.apply(NumpyExecution(pl.DataFrame({"t": texts})))
    np.testing.assert_allclose(run_onnx(part, texts), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(run_onnx(part, odd[:1]), np.zeros((1, len(part.names))))


def test_terms_are_counted_up_to_a_bound():
    squares, weights = np.array([1.0, 4.0, 0.0]), np.array([[1.0], [10.0], [0.0]], np.float32)
    part = TextScores("t", ("a", "b"), squares, weights, ("one",))
    texts = ["a", "a a", "a a a a", "a a a a a a", "b a a"]
    heights = 1 + np.log([1, 2, 4, 4])
    expected = [*(heights / heights), (10 + heights[1]) / np.sqrt(4 + heights[1] ** 2)]
    np.testing.assert_allclose(part.apply(NumpyExecution(pl.DataFrame({"t": texts})))[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(run_onnx(part, texts)[:, 0], expected, rtol=1e-6)


def test_vectors_are_those_of_scikit_learn():
    text = remarks()[0]
    found = TextVectors.fit("t", text, 1)
    reference = TfidfVectorizer(
        ngram_range=(1, 2), vocabulary=found.lexicon.terms, token_pattern=r"\S+", sublinear_tf=True
    )
    np.testing.assert_allclose(found.vectors.toarray(), reference.fit_transform(text.to_list()).toarray(), atol=1e-9)


def test_rows_learnt_from_do_not_see_their_own_target():
    text, _, folds = remarks(classes=2)
    noise = np.random.default_rng(5).integers(0, 2, len(text))
    part, without = fit_scores("t", text, noise, folds, classes=2, strength=3.0, seed=0)
    frame = pl.DataFrame({"t": text})
    seen = part.apply(NumpyExecution(frame))[:, 0]
    unseen = part.apply(CrossFittedExecution(frame, folds, {id(part.weights): without}))[:, 0]
    assert abs(np.corrcoef(seen, noise)[0, 1]) > 0.5
    assert abs(np.corrcoef(unseen, noise)[0, 1]) < 0.2


def test_scores_tell_the_classes():
    text, target, folds = remarks(rows=600)
    part, without = fit_scores("t", text, target, folds, classes=3, strength=1.0, seed=0)
    run = CrossFittedExecution(pl.DataFrame({"t": text}), folds, {id(part.weights): without})
    assert (part.apply(run)[:, :3].argmax(axis=1) == target).mean() > 0.75
    assert part.names[0] == "t: what the words say for class 0"
    assert any(name.startswith("t: topic") for name in part.names)


def test_too_little_text_has_no_scores():
    folds = np.arange(40) % FOLDS
    target = folds % 2
    assert fit_scores("t", pl.Series(["a b"] * 40), target, folds, classes=2, strength=1.0, seed=0) is None
    assert fit_scores("t", pl.Series(["a"] * 9), target[:9], folds[:9], classes=2, strength=1.0, seed=0) is None


def test_many_classes_have_fewer_terms():
    assert TextVectors.fit("t", remarks()[0], MOST_CELLS // 10).lexicon.terms.__len__() < 12


def test_the_strength_is_chosen_with_its_evidence():
    text, target, folds = remarks(rows=200, classes=2)
    column = Column("t", ColumnKind.TEXT)
    (chosen,) = choose_strengths([column], pl.DataFrame({"t": text}), target, folds, classes=2, seed=0)
    explained = measure_strengths("t", text, target, folds, classes=2, seed=0)
    assert chosen.value in explained
    assert f"{explained[1.0]:.1%} at 1" in chosen.described[-1]
