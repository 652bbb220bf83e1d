"""Trees that were fitted on some columns of a matrix, made to read the whole of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.constant import Constant
from headrace.ml.adapters.present_classes import PresentClasses
from headrace.ml.adapters.symmetric_trees import SymmetricTrees
from headrace.ml.adapters.trees import LEAF, TreeEnsemble
from headrace.ml.contract import Form
from headrace.ml.errors import ModelError

OTHER, CODE, INDICATOR = 0, 1, 2
"""What a feature of the trees' view is: the code of a category that has indicators too, such an indicator, or other."""
LEFT_OUT = {"codes": INDICATOR, "one-hot": CODE}
"""What a fit does not read, by its hyperparameter `categories`; `both` reads all."""


def renumbered(form: Form, places: npt.NDArray[np.int64]) -> Form:
    """Return the form for a matrix of which it was fitted on the columns `places`; ModelError on what is not trees."""
    if isinstance(form, Constant):
        return form
    if isinstance(form, PresentClasses):
        return replace(form, inner=renumbered(form.inner, places))
    if isinstance(form, SymmetricTrees):
        return replace(form, column=places[form.column].astype(np.int32))
    if isinstance(form, TreeEnsemble):
        feature = np.where(form.feature == LEAF, LEAF, places[form.feature])
        return replace(form, feature=feature.astype(np.int32))
    raise ModelError(f"a model of the form {type(form).__name__} cannot be made to read further columns; fit it on all")
