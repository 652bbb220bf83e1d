"""The network taken out of scikit-learn predicts what scikit-learn does."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

from headrace.ml.adapters.neural import neural_form
from headrace.ml.algorithms import ALGORITHMS
from headrace.ml.checks import rows_for
from headrace.ml.contract import Task


def test_form_equals_scikit_learn() -> None:
    features, target = rows_for(ALGORITHMS["neural_network"], Task.MULTICLASS)
    model = MLPClassifier((8, 4), random_state=0)
    for _ in range(20):
        model.partial_fit(features, target, classes=[0, 1, 2])
    form = neural_form(model.coefs_, model.intercepts_, scale=1.0, centre=0.0, link="softmax")
    assert np.allclose(form.predict(features), model.predict_proba(features), rtol=1e-4, atol=1e-6)
