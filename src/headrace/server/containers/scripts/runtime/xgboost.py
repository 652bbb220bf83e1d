"""What AWS's XGBoost image does where a script does not say."""

from typing import Any

from . import encoding
from .contract import Refused
from .models import required

ACCEPT = encoding.CSV
LIBSVM = ("text/libsvm", "text/x-libsvm")
model_fn = required("XGBoost")


def input_fn(body: bytes, content_type: str) -> Any:
    """Return a DMatrix of a request in CSV, libsvm, JSON or npy."""
    import numpy as np
    import xgboost

    kind = encoding.media_type(content_type)
    if kind in LIBSVM:
        return xgboost.DMatrix(_libsvm(body))
    if kind == encoding.CSV:
        lines = [line.split(b",") for line in body.strip().splitlines()]
        try:
            return xgboost.DMatrix(np.array([[_number(cell) for cell in line] for line in lines], dtype=np.float32))
        except ValueError as error:
            raise Refused(400, f"the body is no text/csv of numbers: {error}") from error
    return xgboost.DMatrix(np.atleast_2d(encoding.decode(body, content_type)))


def predict_fn(data: Any, model: Any) -> Any:
    """Return what the booster, or scikit-learn's wrapper of one, predicts; to the best round of early stopping."""
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    try:
        best = booster.best_iteration
    except AttributeError:
        return booster.predict(data, validate_features=False)
    return booster.predict(data, validate_features=False, iteration_range=(0, best + 1))


def output_fn(prediction: Any, accept: str) -> Any:
    """Return predictions in the accepted format."""
    return encoding.encode(prediction, accept), accept


def _number(cell: bytes) -> float:
    return float(cell) if cell.strip() else float("nan")


def _libsvm(body: bytes) -> Any:
    from scipy.sparse import csr_matrix

    values, columns, starts = [], [], [0]
    try:
        for line in body.decode().splitlines():
            pairs = [pair.split(":") for pair in line.split() if ":" in pair]
            columns += [int(column) for column, _ in pairs]
            values += [float(value) for _, value in pairs]
            starts.append(len(columns))
    except ValueError as error:
        raise Refused(400, f"the body is no text/libsvm: {error}") from error
    return csr_matrix((values, columns, starts))
