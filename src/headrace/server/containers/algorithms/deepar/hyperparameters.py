"""DeepAR's hyperparameters, with AWS's names, defaults and ranges."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models.networks.likelihoods import LIKELIHOODS
from headrace.server.containers.hyperparameters import Parameter
from headrace.server.containers.values import choice, listed, real, whole

IGNORE = "ignore"
QUANTILES = tuple(tenth / 10 for tenth in range(1, 10))


def time_freq(text: str) -> str:
    """Read M, W, D, H or min, with a number before it where wanted; raises ValueError."""
    if not re.fullmatch(r"[1-9]\d{0,3}(?:M|W|D|H|min)|[MWDH]|min", text.strip()):
        raise ValueError("must be M, W, D, H or min, with a whole number before it where wanted, such as 15min or 2H")
    return str(Frequency.parse(text.strip()))


def automatic_or(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a reader that takes `auto` for None, and `ignore` or an empty text for IGNORE."""

    def given(text: str) -> Any:
        word = text.strip().lower()
        if word == "auto":
            return None
        if word in ("", IGNORE):
            return IGNORE
        try:
            return read(text)
        except ValueError as error:
            raise ValueError(f"{error}, auto or ignore") from None

    return given


HYPERPARAMETERS: Mapping[str, Parameter] = {
    "context_length": Parameter(
        whole(1), "periods read before a forecast", required=True, tunable=("integer", 1, 200, "Auto")
    ),
    "prediction_length": Parameter(whole(1, 5000), "periods forecast", required=True),
    "epochs": Parameter(whole(1), "passes over the training data", required=True, tunable=("integer", 1, 1000, "Auto")),
    "time_freq": Parameter(time_freq, "how often a series has a value", required=True),
    "num_cells": Parameter(whole(1), "cells in each layer", default=40, tunable=("integer", 30, 200, "Auto")),
    "num_layers": Parameter(whole(1, 16), "layers of cells", default=2, tunable=("integer", 1, 8, "Auto")),
    "dropout_rate": Parameter(
        real(0, below=1), "share of cells that zoneout holds", default=0.1, tunable=("continuous", 0.0, 0.2, "Auto")
    ),
    "learning_rate": Parameter(
        real(above=0), "the size of a step", default=1e-3, tunable=("continuous", 1e-5, 1e-1, "Auto")
    ),
    "mini_batch_size": Parameter(whole(1), "windows in a step", default=128, tunable=("integer", 32, 1028, "Auto")),
    "likelihood": Parameter(choice(*LIKELIHOODS), "what a value is drawn from", default="student-T"),
    "cardinality": Parameter(automatic_or(listed(whole(1))), "categories of each label in `cat`"),
    "num_dynamic_feat": Parameter(automatic_or(whole(0)), "features in `dynamic_feat`"),
    "embedding_dimension": Parameter(
        whole(1), "numbers that stand for a category", default=10, tunable=("integer", 1, 50, "Auto")
    ),
    "num_eval_samples": Parameter(whole(1, 10_000), "paths drawn for the test channel", default=100),
    "test_quantiles": Parameter(
        listed(real(above=0, below=1)), "quantiles whose loss the test channel gives", default=QUANTILES
    ),
    "early_stopping_patience": Parameter(whole(1), "epochs without a lower loss that end training"),
}
