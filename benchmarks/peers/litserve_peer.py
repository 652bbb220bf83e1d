"""LitServe's service of the measured model; runs in an environment of its own."""

import os
import sys

import lightgbm
import litserve
import numpy as np


class Served(litserve.LitAPI):
    """Answers one row."""

    def setup(self, device: str) -> None:
        """Load the model."""
        del device
        self._model = lightgbm.Booster(model_file=os.environ["MODEL"])

    def decode_request(self, request: dict) -> np.ndarray:
        """Return the row of a request."""
        return np.asarray([request["row"]])

    def predict(self, row: np.ndarray) -> float:
        """Return the prediction of a row."""
        return float(self._model.predict(row, num_threads=1)[0])

    def encode_response(self, output: float) -> dict:
        """Return the answer."""
        return {"prediction": output}


if __name__ == "__main__":
    server = litserve.LitServer(Served(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False, log_level="warning"
    )
