"""Features of pictures against plain NumPy, and both executions."""

import numpy as np
import polars as pl
import pytest
from onnx import TensorProto

from headrace.ml.adapters.onnx_graph import OnnxGraph
from headrace.ml.prediction.session import open_session
from headrace.ml.process.feature_engineering.numpy_execution import NumpyExecution
from headrace.ml.process.feature_engineering.onnx_execution import OnnxExecution
from headrace.ml.process.feature_engineering.pictures import (
    CELLS,
    DIRECTIONS,
    PLACES,
    TONES,
    PictureFeatures,
    measure_pictures,
)


def noise(shape, rows=40, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, *shape)).astype(np.uint8)
    return pixels, pl.Series("p", [each.tobytes() for each in pixels], dtype=pl.Binary)


def pooled(maps, cells):
    rows, _, height, width = maps.shape
    tall, wide = max(1, height // cells), max(1, width // cells)
    down, across = height // tall, width // wide
    cut = maps[:, :, : down * tall, : across * wide].reshape(rows, -1, down, tall, across, wide)
    return cut.mean(axis=(3, 5)).reshape(rows, -1)


def reference(pixels):
    image = pixels.astype(np.float64).transpose(0, 3, 1, 2) / 255
    channels = image.shape[1]
    grey = np.pad(image.mean(axis=1), ((0, 0), (1, 1), (1, 1)), mode="edge")
    right = sum(grey[:, i : i + pixels.shape[1], 2:] - grey[:, i : i + pixels.shape[1], :-2] for i in range(3)) / 3
    down = sum(grey[:, 2:, i : i + pixels.shape[2]] - grey[:, :-2, i : i + pixels.shape[2]] for i in range(3)) / 3
    turns = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
    edges = np.maximum(np.stack([np.cos(t) * right + np.sin(t) * down for t in turns], axis=1), 0)
    strength = np.sqrt(pooled(edges, CELLS))
    parts = [strength / np.sqrt((strength**2).sum(axis=1, keepdims=True) + 1e-3)]
    parts.append(pooled(image, PLACES[channels]) / PLACES[channels])
    if channels > 1:
        steps = np.arange(TONES) / (TONES - 1)
        near = np.maximum(1 - (TONES - 1) * np.abs(image[:, :, None] - steps[:, None, None]), 0)
        parts.append(np.sqrt(near.mean(axis=(3, 4))).reshape(len(image), -1) / 2)
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 1), (32, 20, 3), (64, 64, 3)])
def test_measures(shape):
    pixels, column = noise(shape, rows=5)
    found = np.concatenate(list(measure_pictures(column, shape)))
    np.testing.assert_allclose(found, reference(pixels), atol=2e-5)


def test_both_executions_agree_whatever_the_batch():
    shape = (16, 16, 3)
    _, column = noise(shape)
    part = PictureFeatures.fit("p", column, shape)
    expected = part.apply(NumpyExecution(pl.DataFrame({"p": column})))
    assert expected.shape == (40, len(part.names))
    graph = OnnxGraph()
    source = graph.input("p", TensorProto.UINT8, ["rows", 768])
    graph.output("out", part.apply(OnnxExecution(graph, {"p": source})).name, TensorProto.FLOAT, ["rows", "width"])
    session = open_session(graph.model().SerializeToString(), "test")
    rows = np.stack([np.frombuffer(each, np.uint8) for each in column])
    for row in range(3):
        found = session.run(None, {"p": rows[row : row + 1]})[0]
        np.testing.assert_allclose(found[0], expected[row], rtol=1e-5, atol=1e-5)


def test_axes_are_centred_and_the_first_are_the_longest():
    shape = (16, 16, 1)
    _, column = noise(shape, rows=60)
    features = PictureFeatures.fit("p", column, shape).apply(NumpyExecution(pl.DataFrame({"p": column})))
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-4)
    spread = features.std(axis=0)
    assert (np.diff(spread) < 1e-4).all()
    assert np.sqrt((spread**2).mean()) == pytest.approx(1, rel=0.2)


def test_pictures_that_are_all_the_same():
    column = pl.Series("p", [bytes(64)] * 12, dtype=pl.Binary)
    features = PictureFeatures.fit("p", column, (8, 8, 1)).apply(NumpyExecution(pl.DataFrame({"p": column})))
    np.testing.assert_allclose(features, 0, atol=1e-6)
