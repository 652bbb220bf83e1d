"""What comes after training: the least time it takes, and its libraries, imported while the workers fit."""

from __future__ import annotations

import contextlib
import importlib
import threading

SECONDS, SECONDS_A_ROW = 0.9, 1.2e-5
"""Of an idle core: compiling, the metrics and the report as short as they can be, by the rows of the table."""
GOALS, GOALS_A_ROW = 0.45, 6e-6
"""The part of that which comes after the evaluation."""
TEXT, GOALS_TEXT, MOST_TEXTS = 2e-4, 5e-5, 20_000
"""What a text in one of so many rows adds to the one and the other."""
MODULES = (
    "headrace.ml.compiler",
    "headrace.ml.prediction.baseline",
    "headrace.ml.compiler.explanation",
    "headrace.ml.explanation.exact",
    "headrace.ml.process.training.trust",
    "headrace.ml.applications.automl.results",
    "headrace.ml.process.evaluation",
    "headrace.ml.process.business_goals",
    "headrace.ml.report",
    "onnx",
    "onnxruntime",
    "jinja2",
)


def closing_seconds(rows: int, texts: int = 0) -> float:
    """Return the least that the steps after training take, in seconds of an idle core, with so many columns of text."""
    return SECONDS + SECONDS_A_ROW * rows + TEXT * texts * min(rows, MOST_TEXTS)


def evaluation_seconds(remaining: float, slowdown: float, rows: int, texts: int = 0) -> float:
    """Return how long the evaluation may take when `remaining` seconds are left at the speed of the moment.

    20 at most; what is to be done at least is done even where no time is left.
    """
    later = (GOALS + GOALS_A_ROW * rows + GOALS_TEXT * texts * min(rows, MOST_TEXTS)) * slowdown
    return max(0.0, min(20.0, remaining - max(1.5, later)))


def import_ahead() -> None:
    """Import, in a thread of its own, what the steps after training need."""
    threading.Thread(target=_import, name="imports", daemon=True).start()


def _import() -> None:
    for module in MODULES:
        with contextlib.suppress(Exception):  # what is wrong with it shows where it is used
            importlib.import_module(module)
    with contextlib.suppress(Exception):
        from headrace.ml.report.page import STEPS, _environment

        for name, *_ in (("page",), ("macros",), ("summary",), *STEPS):
            _environment().get_template(f"{name}.html")
