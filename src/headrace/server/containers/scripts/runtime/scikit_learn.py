"""What AWS's scikit-learn image does where a script does not say."""

from typing import Any

from . import encoding
from .models import required

ACCEPT = encoding.JSON
model_fn = required("scikit-learn")


def input_fn(body: bytes, content_type: str) -> Any:
    """Return the array in a request; of text it is float32, and one line of CSV is one row."""
    array = encoding.decode(body, content_type)
    kind = encoding.media_type(content_type)
    if kind == encoding.CSV and array.ndim < 2:
        array = array.reshape(1, -1) if b"," in body else array.reshape(-1, 1)
    return array.astype("float32") if kind in encoding.TEXT else array


def predict_fn(data: Any, model: Any) -> Any:
    """Return what the model predicts."""
    return model.predict(data)


def output_fn(prediction: Any, accept: str) -> Any:
    """Return predictions in the accepted format."""
    return encoding.encode(prediction, accept), accept
