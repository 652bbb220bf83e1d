"""What AWS's scikit-learn image does where a script does not say."""

from typing import Any

from . import encoding
from .models import required

ACCEPT = encoding.JSON
model_fn = required("scikit-learn")


def input_fn(body: bytes, content_type: str) -> Any:
    """Return the array in a request; of text it is float32."""
    array = encoding.decode(body, content_type)
    return array.astype("float32") if encoding.media_type(content_type) in encoding.TEXT else array


def predict_fn(data: Any, model: Any) -> Any:
    """Return what the model predicts."""
    return model.predict(data)


def output_fn(prediction: Any, accept: str) -> Any:
    """Return predictions in the accepted format."""
    return encoding.encode(prediction, accept), accept
