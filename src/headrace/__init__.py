"""Headrace: the AWS machine-learning stack on your own machine.

`run(table, target)` walks the nine steps from a table and a goal to a decision and a compiled model;
`load(folder)` opens that model for prediction. Both are imported on first use.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.ml.applications.automl import run
    from headrace.ml.prediction import load

from headrace.version import __version__

__all__ = ["__version__", "load", "run"]

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime would keep events of its use and send them


def __getattr__(name: str) -> Any:
    if name == "run":
        from headrace.ml.applications.automl import run

        return run
    if name == "load":
        from headrace.ml.prediction import load

        return load
    raise AttributeError(f"module 'headrace' has no attribute '{name}'")
