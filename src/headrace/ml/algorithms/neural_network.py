"""Neural network: a small multi-layer perceptron."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.links import IDENTITY, SIGMOID, SOFTMAX
from headrace.ml.adapters.neural import bounded, neural_form
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import (
    SUPERVISED,
    Choice,
    Features,
    Fitted,
    Hyperparameter,
    Integer,
    Real,
    Target,
    View,
)


class NeuralNetwork(LibraryAlgorithm):
    """Rectified linear layers trained by Adam (Kingma and Ba, 2015); stops early on the validation rows.

    The weights of the best epoch are kept. Targets that are values are standardised inside. Prediction takes the
    weights out of scikit-learn, whose own rounds the smaller of two probabilities to float32.

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.linspace(-1, 1, 100, dtype=np.float32)[:, None]
    >>> algorithm = NeuralNetwork(Task.REGRESSION, epochs=100, batch_size=32, learning_rate=0.01)
    >>> fitted = algorithm.fit(features, 100 + np.abs(features[:, 0]))
    >>> fitted.predict(np.array([[-1.0], [0.0], [1.0]], np.float32)).round().tolist()
    [101.0, 100.0, 101.0]
    """

    name = "neural_network"
    title = "Neural network"
    tasks = SUPERVISED
    view = View.SCALED
    takes_missing = False
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "layers": Hyperparameter(2, Integer(1, 5), "hidden layers", Integer(1, 3)),
        "width": Hyperparameter(128, Integer(1, 2048), "units a layer", Integer(32, 256, log=True)),
        "learning_rate": Hyperparameter(1e-3, Real(1e-6, 1.0), "Adam's step", Real(1e-4, 1e-2, log=True)),
        "alpha": Hyperparameter(1e-3, Real(0.0, 100.0), "L2 penalty of the weights", Real(1e-6, 1.0, log=True)),
        "batch_size": Hyperparameter(128, Integer(1, 100_000), "rows a step", Choice((64, 128, 256, 512))),
        "epochs": Hyperparameter(60, Integer(1, 5000), "passes over the rows; early stopping may make fewer"),
        "patience": Hyperparameter(8, Integer(1, 1000), "epochs without improvement that end the training"),
    }
    portfolio = ({}, {"layers": 3, "learning_rate": 3e-4, "alpha": 0.1}, {"layers": 1, "width": 256, "alpha": 1e-2})
    quick: ClassVar[Mapping[str, Any]] = {"width": 16, "epochs": 30, "batch_size": 32, "learning_rate": 0.01}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:
        """Train epoch by epoch and keep the best weights."""
        threadpoolctl = import_library("threadpoolctl")
        centre, scale = (0.0, 1.0) if classes else (float(target.mean()), float(target.std()))
        aims = target if classes else ((target - centre) / scale).astype(np.float32)
        if validation is not None and not classes:
            validation = (validation[0], (validation[1] - centre) / scale)
        with threadpoolctl.threadpool_limits(self.threads):
            model, epochs = self._train(bounded(features), aims, classes, validation)
        link = IDENTITY if not classes else SIGMOID if classes == 2 else SOFTMAX

        form = neural_form(model.coefs_, model.intercepts_, scale=scale, centre=centre, link=link)
        return Fitted(form, form.predict, self.values | {"epochs": epochs})

    def _train(self, features: Features, target: Target, classes: int, validation: Rows | None) -> tuple[Any, int]:
        """Return the model after its best epoch, and that epoch."""
        neural_network = import_library("sklearn.neural_network")
        kind = neural_network.MLPClassifier if classes else neural_network.MLPRegressor
        model = kind(
            hidden_layer_sizes=(self.values["width"],) * self.values["layers"],
            alpha=self.values["alpha"],
            batch_size=min(self.values["batch_size"], len(target)),
            learning_rate_init=self.values["learning_rate"],
            random_state=self.seed,
        )
        options = {"classes": np.arange(classes)} if classes else {}
        best, best_epoch, best_loss = model, self.values["epochs"], np.inf
        for epoch in range(1, self.values["epochs"] + 1):
            model.partial_fit(features, target, **options)
            if validation is None:
                continue
            loss = _loss(model, bounded(validation[0]), validation[1], classes)
            if loss < best_loss:
                best, best_epoch, best_loss = copy.deepcopy(model), epoch, loss
            elif epoch - best_epoch >= self.values["patience"]:
                break
        return best, best_epoch


def _loss(model: Any, features: Features, target: Target, classes: int) -> float:
    """Return the log loss or mean squared error."""
    if not classes:
        return float(np.mean((model.predict(features) - target) ** 2))
    chances = model.predict_proba(features)[np.arange(len(target)), target]
    return float(-np.log(np.maximum(chances, 1e-12)).mean())
