"""What an image with Python alone does where a script does not say: as scikit-learn's."""

from .models import required
from .scikit_learn import ACCEPT, input_fn, output_fn, predict_fn

model_fn = required("Python")

__all__ = ["ACCEPT", "input_fn", "model_fn", "output_fn", "predict_fn"]
