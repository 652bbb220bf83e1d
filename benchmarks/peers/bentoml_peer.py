"""BentoML's service of the measured model; runs in an environment of its own."""

import os

import bentoml
import lightgbm
import numpy as np


@bentoml.service(workers=1, metrics={"enabled": False})
class Served:
    """Answers one row."""

    def __init__(self) -> None:
        self._model = lightgbm.Booster(model_file=os.environ["MODEL"])

    @bentoml.api
    def predict(self, row: list[float]) -> float:
        """Return the prediction of a row."""
        return float(self._model.predict(np.asarray([row]), num_threads=1)[0])
