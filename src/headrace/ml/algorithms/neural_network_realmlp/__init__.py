"""Neural network by the recipe of RealMLP: periodic features of numbers, and settings tuned over many tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.links import IDENTITY, SIGMOID, SOFTMAX
from headrace.ml.adapters.neural import bounded
from headrace.ml.adapters.threads import import_library
from headrace.ml.algorithms.neural_network_realmlp.network import Network
from headrace.ml.algorithms.neural_network_realmlp.training import train
from headrace.ml.contract import SUPERVISED, Choice, Features, Fitted, Hyperparameter, Integer, Real, Target, View

ROW_PASSES_OF_VALUES, ROW_PASSES_OF_CLASSES = 400_000, 100_000
MOST_EPOCHS, FEWEST_EPOCHS = 64, 12
DISTINCT_VALUES, MOST_PERIODIC = 10, 64
"""A column of more distinct values gets periodic features; so many columns at most, the first ones."""


class NeuralNetworkRealMLP(LibraryAlgorithm):
    """A multi-layer perceptron of silu units with a learned scale a feature, on the features and their waves.

    The step goes down and up again in four cycles, the share of units left out falls from the middle on, and the
    weights of the epoch that is best on the validation rows are kept. Many rows need fewer epochs. Written here in
    NumPy: the authors' package needs PyTorch. The step sizes are theirs; silu stands for their two activations.

    Source: Holzmüller, Grinsztajn and Steinwart, Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data (NeurIPS 2024); Gorishniy et al., On embeddings for numerical features (NeurIPS 2022).

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]
    >>> algorithm = NeuralNetworkRealMLP(Task.REGRESSION, epochs=100, batch_size=32)
    >>> fitted = algorithm.fit(features, 100 + np.abs(features[:, 0]))
    >>> fitted.predict(np.array([[-1.0], [0.0], [1.0]], np.float32)).round().tolist()
    [101.0, 100.0, 101.0]
    """

    name = "neural_network_realmlp"
    title = "Neural network (RealMLP)"
    tasks = SUPERVISED
    view = View.SCALED
    takes_missing = False
    module = "threadpoolctl"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "layers": Hyperparameter(3, Integer(1, 5), "hidden layers", Integer(2, 3)),
        "width": Hyperparameter(128, Integer(1, 2048), "units a layer", Choice((64, 128, 256))),
        "learning_rate": Hyperparameter(
            0.0,
            Real(0.0, 10.0),
            "Adam's largest step; 0: 0.2 for values, 0.04 for classes",
            Real(0.01, 0.3, log=True),
        ),
        "dropout": Hyperparameter(0.15, Real(0.0, 0.9), "share of units left out at first", Real(0.0, 0.4)),
        "weight_decay": Hyperparameter(0.02, Real(0.0, 10.0), "shrinkage of the weights a step", Real(0.0, 0.1)),
        "label_smoothing": Hyperparameter(0.0, Real(0.0, 0.9), "share of a label spread over all", Real(0.0, 0.1)),
        "frequency": Hyperparameter(
            0.1, Real(1e-3, 100.0), "spread of the waves' frequencies, cycles a unit", Real(0.05, 3.0, log=True)
        ),
        "batch_size": Hyperparameter(256, Integer(1, 100_000), "rows a step", Choice((128, 256, 512))),
        "epochs": Hyperparameter(0, Integer(0, 5000), "passes over the rows; 0: from 64 for few rows to 12 for many"),
        "stop_after": Hyperparameter(0, Integer(0, 5000), "epochs after which training ends early; 0: none"),
    }
    portfolio = (
        {},
        {"layers": 2, "frequency": 1.0, "label_smoothing": 0.02},
        {"width": 256, "frequency": 0.3, "dropout": 0.3},
    )
    quick: ClassVar[Mapping[str, Any]] = {"width": 16, "epochs": 30, "batch_size": 32}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:
        """Train for the whole schedule and keep the best epoch's weights."""
        threadpoolctl = import_library("threadpoolctl")
        passes = ROW_PASSES_OF_CLASSES if classes else ROW_PASSES_OF_VALUES
        values = self.values | {
            "learning_rate": self.values["learning_rate"] or (0.04 if classes else 0.2),
            "epochs": self.values["epochs"] or min(max(passes // len(target), FEWEST_EPOCHS), MOST_EPOCHS),
        }
        features = bounded(features)
        centre, scale = (0.0, 1.0) if classes else (float(target.mean()), float(target.std()))
        aims = target if classes else ((target - centre) / scale).astype(np.float32)
        if validation is not None:
            seen = validation[1] if classes else (validation[1] - centre) / scale
            validation = (bounded(validation[0]), seen)
        network = Network.draw(
            features.shape[1],
            _numbers(features),
            classes if classes > 2 else 1,
            layers=values["layers"],
            width=values["width"],
            frequency=values["frequency"],
            seed=self.seed,
        )
        with threadpoolctl.threadpool_limits(self.threads):
            epoch = train(network, features, aims, classes, validation, values, self.seed)
        link = IDENTITY if not classes else SIGMOID if classes == 2 else SOFTMAX
        form = network.form(scale=scale, centre=centre, link=link)
        found = {"epochs": values["epochs"], "stop_after": epoch}
        return Fitted(form, form.predict, self.values | found)


def _numbers(features: Features) -> np.ndarray:
    """The columns that are numbers rather than labels."""
    sample = features[:: max(1, len(features) // 2000)]
    distinct = np.array([len(np.unique(column)) for column in sample.T])
    return np.flatnonzero(distinct > DISTINCT_VALUES)[:MOST_PERIODIC]
