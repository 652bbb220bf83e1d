"""k-NN: a sample of the training rows, searched exactly, that votes on classes or averages values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from headrace.server.containers.artifacts import load_model, save_model
from headrace.server.containers.contract import (
    BuiltIn,
    ChannelRule,
    ClientError,
    Floats,
    Metric,
    Reply,
    TrainingRun,
)
from headrace.server.containers.formats import MediaType
from headrace.server.containers.hyperparameters import Parameter
from headrace.server.containers.inputs import (
    AI_ALGORITHMS_TYPES,
    check_feature_dim,
    complete,
    dense_blocks,
    read_labelled,
)
from headrace.server.containers.logs import LOSS, PROGRESS, SCORE, progress_line, quality_line, quality_metric
from headrace.server.containers.serving import RowPredictor, complete_request
from headrace.server.containers.values import automatic, choice, whole

CLASSIFIER, REGRESSOR = "classifier", "regressor"
L2, INNER_PRODUCT, COSINE = "L2", "INNER_PRODUCT", "COSINE"
SIGN, FJLT = "sign", "fjlt"
PARTS = tuple(map(str, (1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 96)))
NUMBERS_AT_ONCE = 8_000_000


class KNearestNeighbors(BuiltIn):
    """AWS's "K-Nearest Neighbors (k-NN) Algorithm"; every index type is searched exactly."""

    name = "knn"
    title = "k-nearest neighbors"
    repositories = ("knn",)
    hyperparameters: ClassVar[Mapping[str, Parameter]] = {
        "feature_dim": Parameter(whole(1), "the number of features", required=True),
        "k": Parameter(whole(1), "the number of neighbors", required=True, tunable=("integer", 1, 1024, "Auto")),
        "predictor_type": Parameter(choice(CLASSIFIER, REGRESSOR), "what the label is", required=True),
        "sample_size": Parameter(
            whole(1), "rows to keep of those in training", required=True, tunable=("integer", 256, 20_000_000, "Auto")
        ),
        "dimension_reduction_type": Parameter(choice(SIGN, FJLT), "how features are projected onto fewer"),
        "dimension_reduction_target": Parameter(whole(1), "onto how many, fewer than feature_dim"),
        "index_type": Parameter(
            choice("faiss.Flat", "faiss.IVFFlat", "faiss.IVFPQ"),
            "accepted: the search is exact whichever it is",
            default="faiss.Flat",
        ),
        "index_metric": Parameter(choice(L2, INNER_PRODUCT, COSINE), "what is near", default=L2),
        "faiss_index_ivf_nlists": Parameter(automatic(whole(1)), "accepted, no effect: the search is exact"),
        "faiss_index_pq_m": Parameter(choice(*PARTS), "accepted, no effect: the search is exact"),
        "mini_batch_size": Parameter(whole(1), "accepted, no effect: rows are searched in blocks", default=5000),
    }
    channels: ClassVar[Mapping[str, ChannelRule]] = {
        "train": ChannelRule(True, AI_ALGORITHMS_TYPES),
        "test": ChannelRule(False, AI_ALGORITHMS_TYPES),
    }
    metrics: ClassVar[Sequence[Metric]] = (
        quality_metric("test", "accuracy", SCORE),
        quality_metric("test", "mse", LOSS),
        PROGRESS,
    )

    def check(self, hyperparameters: Mapping[str, Any], channels: Sequence[str]) -> None:
        """Raise ClientError where k, sample_size and the reduction of dimensions do not go together."""
        del channels
        given = hyperparameters
        if given["k"] > given["sample_size"]:
            raise ClientError(
                f"The hyperparameter k is {given['k']}, more than the sample_size of {given['sample_size']}; keep more "
                "rows or ask for fewer neighbors"
            )
        target = given["dimension_reduction_target"]
        if (target is None) != (given["dimension_reduction_type"] is None):
            raise ClientError(
                "The hyperparameters dimension_reduction_type and dimension_reduction_target need each other; give "
                "both or none"
            )
        if target is not None and target >= given["feature_dim"]:
            raise ClientError(
                f"The hyperparameter dimension_reduction_target is {target}; it must be less than the feature_dim of "
                f"{given['feature_dim']}"
            )

    def train(self, run: TrainingRun) -> None:
        """Keep a sample of `train`, projected where asked; `test` gives accuracy or mean squared error."""
        given = run.hyperparameters
        features, labels = _read(run, "train")
        if given["k"] > len(features):
            raise ClientError(
                f"The hyperparameter k is {given['k']}, and channel 'train' has only {len(features)} rows; add rows or "
                "ask for fewer neighbors"
            )
        random = np.random.default_rng(run.seed)
        if given["sample_size"] < len(features):
            kept = np.sort(random.choice(len(features), given["sample_size"], replace=False))
            features, labels = features[kept], labels[kept]
        arrays: dict[str, npt.NDArray[Any]] = {"labels": labels}
        if given["dimension_reduction_type"] is not None:
            reduce = sign_projection if given["dimension_reduction_type"] == SIGN else fjlt_projection
            arrays["projection"] = reduce(features.shape[1], given["dimension_reduction_target"], random)
            features = features @ arrays["projection"]
        else:
            arrays["projection"] = np.zeros((0, 0), np.float32)
        arrays["features"] = features
        facts = {name: given[name] for name in ("k", "predictor_type", "index_metric", "feature_dim")}
        save_model(run.model, self.name, arrays, facts)
        run.log(progress_line(1, 1))
        if "test" in run.channels:
            self._test(run)

    def _test(self, run: TrainingRun) -> None:
        features, labels = _read(run, "test")
        predictor = self.load(run.model)
        found = predictor.neighbors(features)[0]
        if run.hyperparameters["predictor_type"] == CLASSIFIER:
            run.log(quality_line("test", "accuracy", float(np.mean(found == labels)), SCORE))
        else:
            run.log(quality_line("test", "mse", float(np.mean((found - labels) ** 2)), LOSS))

    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> NeighborsPredictor:
        """Return the model that `train` left."""
        del environment
        return NeighborsPredictor(*load_model(folder, self.name, ("features", "labels", "projection")))


def _read(run: TrainingRun, name: str) -> tuple[Floats, Floats]:
    rows = read_labelled(run, name, AI_ALGORITHMS_TYPES)
    check_feature_dim(rows, run.hyperparameters["feature_dim"], name)
    labels = rows.labels
    assert labels is not None
    if run.hyperparameters["predictor_type"] == CLASSIFIER and (labels != np.floor(labels)).any():
        row = int(np.argmax(labels != np.floor(labels)))
        raise ClientError(
            f"The label {labels[row]:g} in row {row + 1} of channel '{name}' is no class; a classifier's labels must "
            "be whole numbers, or set predictor_type to regressor"
        )
    return complete(rows.features, name), labels


class NeighborsPredictor(RowPredictor):
    """Answers {"predictions": [{"predicted_label": …}]}; `verbose=true` adds distances and labels.

    A classifier's label is the most frequent one, of the nearest neighbor where several are. Distances are squared
    (L2), 1 - cosine, or the negated inner product, ascending.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], facts: Mapping[str, Any]) -> None:
        """Serve this sample."""
        self.width, self.k = int(facts["feature_dim"]), int(facts["k"])
        self.metric, self.classifies = facts["index_metric"], facts["predictor_type"] == CLASSIFIER
        self.labels, self.projection = arrays["labels"], arrays["projection"]
        self.sample = arrays["features"]
        self.middle = self.sample.mean(axis=0, keepdims=True) * (self.metric == L2)
        self.sample = _directions(self.sample) if self.metric == COSINE else self.sample - self.middle
        self.squares = np.einsum("ij,ij->i", self.sample, self.sample)

    def reply(self, features: Any, accept: MediaType) -> Reply:
        """Return each row's label, and its neighbors where asked."""
        found = [self.neighbors(block) for block in dense_blocks(complete_request(features))]
        predicted, distances, labels = (np.concatenate(parts) for parts in zip(*found, strict=True))
        if accept.flag("verbose"):
            return Reply({"predicted_label": predicted, "distances": distances, "labels": labels})
        return Reply({"predicted_label": predicted})

    def neighbors(self, features: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the predicted labels [rows], and the neighbors' distances and labels [rows, k]."""
        rows, columns = self.sample.shape
        size = max(1, NUMBERS_AT_ONCE // max(rows, self.k * columns, self.k * self.k))
        blocks = [self._answers(features[start : start + size]) for start in range(0, len(features), size)]
        predicted, distances, labels = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        return predicted, distances, labels

    def _answers(self, rows: Floats) -> tuple[Floats, Floats, Floats]:
        distances, places = self._nearest(rows)
        labels = self.labels[places]
        return self._vote(labels) if self.classifies else labels.mean(axis=1), distances, labels

    def _nearest(self, rows: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
        if self.projection.size:
            rows = rows @ self.projection
        rows = _directions(rows) if self.metric == COSINE else rows - self.middle
        products = rows @ self.sample.T
        if self.metric == L2:
            distances = self.squares - 2 * products
        else:
            distances = (1.0 if self.metric == COSINE else 0.0) - products
        k = min(self.k, len(self.sample))
        places = np.argpartition(distances, k - 1, axis=1)[:, :k] if k < len(self.sample) else None
        if places is None:
            places = np.tile(np.arange(k), (len(rows), 1))
        near = np.take_along_axis(distances, places, axis=1)
        if self.metric == L2:
            near = np.square(self.sample[places] - rows[:, None, :]).sum(axis=2)
        order = np.argsort(near, axis=1, kind="stable")
        return np.take_along_axis(near, order, axis=1), np.take_along_axis(places, order, axis=1)

    def _vote(self, labels: Floats) -> Floats:
        counts = (labels[:, :, None] == labels[:, None, :]).sum(axis=2)
        return np.asarray(np.take_along_axis(labels, counts.argmax(axis=1)[:, None], axis=1)[:, 0], np.float32)


def _directions(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), np.float32)


def sign_projection(columns: int, target: int, random: np.random.Generator) -> Floats:
    """Return random signs [columns, target] that keep squared lengths in the mean (Achlioptas, 2003)."""
    return np.asarray(random.choice((-1.0, 1.0), (columns, target)) / np.sqrt(target), np.float32)


def fjlt_projection(columns: int, target: int, random: np.random.Generator) -> Floats:
    """Return the fast Johnson-Lindenstrauss transform [columns, target]: signs, Hadamard, a sample of its outputs.

    Source: Ailon and Chazelle, "The Fast Johnson-Lindenstrauss Transform" (2009), its last matrix a plain sample.
    """
    from scipy.linalg import hadamard

    size = 1 << max(0, columns - 1).bit_length()
    signs = random.choice((-1.0, 1.0), columns)
    chosen = random.choice(size, target, replace=False)
    return np.asarray(signs[:, None] * hadamard(size)[:columns, chosen] / np.sqrt(target), np.float32)
