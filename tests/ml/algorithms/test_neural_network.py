"""Networks: the one taken out of scikit-learn predicts what scikit-learn does, gradients are those of the loss."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

from headrace.ml.adapters.neural import neural_form
from headrace.ml.algorithms import ALGORITHMS
from headrace.ml.algorithms.neural_network_realmlp.network import Network
from headrace.ml.checks import rows_for
from headrace.ml.contract import Task


def test_form_equals_scikit_learn() -> None:
    features, target = rows_for(ALGORITHMS["neural_network"], Task.MULTICLASS)
    model = MLPClassifier((8, 4), random_state=0)
    for _ in range(20):
        model.partial_fit(features, target, classes=[0, 1, 2])
    form = neural_form(model.coefs_, model.intercepts_, scale=1.0, centre=0.0, link="softmax")
    assert np.allclose(form.predict(features), model.predict_proba(features), rtol=1e-4, atol=1e-6)


def test_gradient_equals_differences_of_the_loss() -> None:
    random = np.random.default_rng(0)
    network = Network.draw(4, np.array([0, 2]), 3, layers=2, width=5, frequency=0.3, seed=0)
    for name, values in network.parameters.items():
        network.parameters[name] = values.astype(np.float64)
    features, aims = random.normal(size=(7, 4)), random.normal(size=(7, 3))

    def loss() -> float:
        return float(((network.answer(features)[0] - aims) ** 2).sum())

    scores, seen = network.answer(features)
    gradient = network.gradient(2 * (scores - aims), seen)
    assert set(gradient) == set(network.parameters)
    for name, values in network.parameters.items():
        place = tuple(random.integers(0, size) for size in values.shape)
        kept = values[place]
        values[place] = kept + 1e-4
        above = loss()
        values[place] = kept - 1e-4
        below = loss()
        values[place] = kept
        assert np.isclose(gradient[name][place], (above - below) / 2e-4, rtol=1e-3, atol=1e-4), name


def test_form_equals_the_network() -> None:
    random = np.random.default_rng(0)
    network = Network.draw(4, np.array([1, 3]), 1, layers=3, width=8, frequency=0.3, seed=0)
    network.parameters["scales"] *= random.uniform(0.5, 2, network.parameters["scales"].shape).astype(np.float32)
    features = random.normal(size=(20, 4)).astype(np.float32)
    form = network.form(scale=2.0, centre=-1.0, link="identity")
    assert np.allclose(form.predict(features), 2 * network.answer(features)[0][:, 0] - 1, rtol=1e-4, atol=1e-5)
