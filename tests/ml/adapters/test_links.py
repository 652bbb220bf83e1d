"""Links give the same in NumPy and in ONNX, to the smallest probability."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.adapters.forms import form_predict
from headrace.ml.adapters.linear import Linear
from headrace.ml.adapters.links import (
    COMPLEMENT,
    EXPONENTIAL,
    IDENTITY,
    LINKS,
    NORMALISED_SIGMOID,
    SIGMOID,
    SOFTMAX,
    sigmoid,
)

OUTPUTS = {IDENTITY: 1, COMPLEMENT: 1, SIGMOID: 1, SOFTMAX: 3, NORMALISED_SIGMOID: 3, EXPONENTIAL: 1}


@pytest.mark.parametrize("link", LINKS)
def test_onnx_equals_numpy(link: str) -> None:
    outputs = OUTPUTS[link]
    form = Linear(np.eye(3)[:, :outputs], np.zeros(outputs), link)
    random = np.random.default_rng(0)
    scores = (random.random((200, 3)) if link == COMPLEMENT else random.normal(size=(200, 3)) * 8).astype(np.float32)
    classes = 0 if link in (IDENTITY, EXPONENTIAL) else max(outputs, 2)
    native = form.predict(scores)
    assert native.shape == ((200, classes) if classes else (200,))
    assert np.allclose(form_predict(form, scores, classes), native, rtol=3e-6, atol=1e-12 if link == SIGMOID else 1e-7)


@pytest.mark.parametrize("link", [SIGMOID, SOFTMAX, NORMALISED_SIGMOID])
@pytest.mark.parametrize("score", [1e30, -1e30, 500.0, -500.0])
def test_extreme_scores_stay_probabilities(link: str, score: float) -> None:
    outputs = OUTPUTS[link]
    form = Linear(np.eye(3)[:, :outputs], np.zeros(outputs), link)
    for row in ([score, score, score], [score, 0, -score]):
        scores = np.array([row], np.float32)
        for chances in (form_predict(form, scores, max(outputs, 2)), form.predict(scores)):
            assert np.isfinite(chances).all()
            assert chances.sum() == pytest.approx(1)


def test_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e6, 0.0, 1e6])).tolist() == [0.0, 0.5, 1.0]
