"""Text features against scikit-learn's tf-idf."""

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer

from headrace.ml.process.feature_engineering.numpy_execution import NumpyExecution
from headrace.ml.process.feature_engineering.text import MOST_TERMS, TextTerms, WordCount

WORDS = ["late", "broken", "good", "very", "cheap"]


def sentences(rows=200):
    random = np.random.default_rng(0)
    return pl.Series([" ".join(random.choice(WORDS, random.integers(0, 7))) for _ in range(rows)])


def test_weights_are_those_of_scikit_learn():
    text = sentences()
    part = TextTerms.fit("t", text, np.random.default_rng(1).normal(size=(200, 1)))
    reference = TfidfVectorizer(ngram_range=(1, 2), vocabulary=list(part.terms), token_pattern=r"\S+")
    expected = reference.fit_transform(text.to_list()).toarray()
    found = part.apply(NumpyExecution(pl.DataFrame({"t": text})))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_terms_that_tell_of_the_target_are_kept():
    random = np.random.default_rng(0)
    noise = [f"word{i}" for i in range(1000)]
    target = random.integers(0, 2, 1500).astype(float)
    text = pl.Series([" ".join([*random.choice(noise, 8), *(["refund"] if y else [])]) for y in target])
    part = TextTerms.fit("t", text, target[:, None])
    assert len(part.terms) == MOST_TERMS
    assert "refund" in part.terms


def test_text_without_terms_makes_no_feature():
    assert TextTerms.fit("t", pl.Series(["", "once", None]), np.zeros((3, 1))).names == ()


def test_words_are_counted():
    frame = pl.DataFrame({"t": ["", None, "one", "one two", "one  two"]})
    counts = np.exp(WordCount("t").apply(NumpyExecution(frame))[:, 0]) - 1
    np.testing.assert_allclose(counts, [0, 0, 1, 2, 3], atol=1e-12)


def test_norms_do_not_depend_on_the_order_of_the_summands():
    text = sentences(400)
    part = TextTerms.fit("t", text, np.random.default_rng(1).normal(size=(400, 1)))
    turned = np.arange(len(part.terms))[::-1]
    other = TextTerms("t", tuple(part.terms[i] for i in turned), part.weights[turned])
    run = NumpyExecution(pl.DataFrame({"t": text}))
    np.testing.assert_array_equal(part.apply(run)[:, turned], other.apply(run))
