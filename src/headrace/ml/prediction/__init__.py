"""A served model: the reader, ONNX Runtime and the manifest; imports nothing that trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace.ml.prediction.model import Model


def load(folder: str | Path, threads: int | None = None) -> Model:
    """Load a model folder for prediction; `threads` share a large batch (all processors up to four without it)."""
    from headrace.ml.prediction.model import Model

    return Model.load(folder, threads)
