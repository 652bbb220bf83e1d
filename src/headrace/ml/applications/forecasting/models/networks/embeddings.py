"""What networks know of items by their labels: embedding_i [labels, width] for each of the labels, learnt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from headrace.ml.applications.forecasting.frequencies import Numbers

Array = NDArray[np.floating]


def draw_embeddings(
    random: np.random.Generator, cardinality: tuple[int, ...], width: int
) -> dict[str, NDArray[np.float32]]:
    """Draw them, `cardinality` labels each."""
    return {
        f"embedding_{place}": random.normal(0, 0.3, (count, width)).astype(np.float32)
        for place, count in enumerate(cardinality)
    }


def embedded(parameters: Mapping[str, Array], codes: Numbers) -> Array:
    """Return [rows, width * labels] for codes [rows, labels]; a label that is not known (-1) gives 0."""
    parts = [
        np.where(codes[:, place, None] >= 0, parameters[f"embedding_{place}"][codes[:, place]], 0)
        for place in range(codes.shape[1])
    ]
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(codes), 0), np.float32)


def embedding_gradient(parameters: Mapping[str, Array], codes: Numbers, slope: Array) -> dict[str, Array]:
    """Return the gradient by parameter, from the slope by what `embedded` returned."""
    found: dict[str, Array] = {}
    parts = np.split(slope, codes.shape[1], axis=1) if codes.shape[1] else []
    for place, part in enumerate(parts):
        bent = np.zeros_like(parameters[f"embedding_{place}"])
        there = codes[:, place] >= 0
        np.add.at(bent, codes[there, place], part[there])
        found[f"embedding_{place}"] = bent
    return found
