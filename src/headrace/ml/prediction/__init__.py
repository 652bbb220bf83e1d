"""A served model: the reader, ONNX Runtime and the manifest; imports nothing that trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from headrace.ml.prediction.model import Model


def load(folder: str | Path, threads: int | None = None) -> Model:
    """Load a model folder for prediction; `threads` share a large batch (all processors up to four without it).

    A model of association rules comes as a `Recommender`, whose `predict` takes a list of items.
    """
    from headrace.ml.contract import Task
    from headrace.ml.prediction.manifest import Manifest
    from headrace.ml.prediction.model import Model

    manifest = Manifest.read(Path(folder))
    if manifest.task is Task.ASSOCIATION_RULES:
        from headrace.ml.prediction.recommending import Recommender

        return cast(Any, Recommender.load(Path(folder), manifest))  # type: ignore[no-any-return]
    return Model.load(folder, threads)
