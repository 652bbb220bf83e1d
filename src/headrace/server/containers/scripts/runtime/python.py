"""What an image with Python alone does where a script does not say: as scikit-learn's."""

from .scikit_learn import ACCEPT, input_fn, output_fn, predict_fn
from .models import required

model_fn = required("Python")

__all__ = ["ACCEPT", "input_fn", "model_fn", "output_fn", "predict_fn"]
