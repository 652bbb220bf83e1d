"""PCA: the directions in which the rows vary most, exactly or by a randomised sketch."""

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
    Predictor,
    Reply,
    TrainingRun,
)
from headrace.server.containers.formats import MediaType
from headrace.server.containers.hyperparameters import FORCE_DENSE, Parameter
from headrace.server.containers.inputs import AI_ALGORITHMS_TYPES, dense_blocks, read_unlabelled
from headrace.server.containers.logs import PROGRESS, progress_line
from headrace.server.containers.serving import RowPredictor, complete_request
from headrace.server.containers.values import boolean, choice, whole

REGULAR, RANDOMIZED = "regular", "randomized"
FEWEST_EXTRA = 10
POWER_ITERATIONS = 2
Doubles = npt.NDArray[np.float64]


class PrincipalComponentAnalysis(BuiltIn):
    """AWS's "Principal Component Analysis (PCA) Algorithm".

    The model holds `mean` [1, columns], `v` [columns, components] and the singular values `s` [components], in
    ascending order as AWS's has them; projections follow that order.
    """

    name = "pca"
    title = "Principal component analysis"
    repositories = ("pca",)
    hyperparameters: ClassVar[Mapping[str, Parameter]] = {
        "feature_dim": Parameter(whole(1), "the number of features", required=True),
        "mini_batch_size": Parameter(whole(1), "rows a step", required=True),
        "num_components": Parameter(whole(1), "the number of components", required=True),
        "algorithm_mode": Parameter(choice(REGULAR, RANDOMIZED), "exact, or by a sketch", default=REGULAR),
        "subtract_mean": Parameter(boolean, "whether the mean is taken off first", default=True),
        "extra_components": Parameter(
            whole(-1), "further columns of the sketch; -1: the larger of 10 and num_components", default=-1
        ),
        "epochs": Parameter(whole(1), "accepted, no effect: a row is read once", default=1),
        "force_dense": FORCE_DENSE,
    }
    channels: ClassVar[Mapping[str, ChannelRule]] = {
        "train": ChannelRule(True, AI_ALGORITHMS_TYPES),
        "test": ChannelRule(False, AI_ALGORITHMS_TYPES),
    }
    metrics: ClassVar[Sequence[Metric]] = (PROGRESS,)

    def check(self, hyperparameters: Mapping[str, Any], channels: Sequence[str]) -> None:
        """Raise ClientError where more components are asked for than there are features."""
        del channels
        components, columns = hyperparameters["num_components"], hyperparameters["feature_dim"]
        if components > columns:
            raise ClientError(
                f"The hyperparameter num_components is {components}, more than the feature_dim of {columns}; ask for "
                "fewer components"
            )

    def train(self, run: TrainingRun) -> None:
        """Find the components of `train`; `test` is read and checked only."""
        given = run.hyperparameters
        rows = read_unlabelled(run, "train", width=given["feature_dim"]).astype(np.float64)
        components = given["num_components"]
        if components > len(rows):
            raise ClientError(
                f"The hyperparameter num_components is {components}, and channel 'train' has only {len(rows)} rows; "
                "add rows or ask for fewer components"
            )
        if "test" in run.channels:
            read_unlabelled(run, "test", width=given["feature_dim"])
        mean = rows.mean(axis=0) if given["subtract_mean"] else np.zeros(rows.shape[1])
        centred = rows - mean
        if given["algorithm_mode"] == REGULAR:
            singular, vectors = exact_components(centred, components)
        else:
            extra = given["extra_components"]
            extra = max(FEWEST_EXTRA, components) if extra < 0 else extra
            singular, vectors = sketched_components(centred, components, extra, run.seed)
        arrays = {"mean": mean[None, :], "v": vectors[:, ::-1], "s": singular[::-1]}
        save_model(run.model, self.name, {name: part.astype(np.float32) for name, part in arrays.items()}, {})
        run.log(progress_line(1, 1))

    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> Predictor:
        """Return the model that `train` left."""
        del environment
        arrays, _ = load_model(folder, self.name, ("mean", "v"))
        return ProjectionPredictor(arrays["mean"], arrays["v"])


def exact_components(centred: Doubles, components: int) -> tuple[Doubles, Doubles]:
    """Return the largest singular values, descending, and their directions [columns, components]."""
    squares, vectors = np.linalg.eigh(centred.T @ centred)
    largest = np.argsort(-squares, kind="stable")[:components]
    return np.sqrt(np.maximum(squares[largest], 0)), _signed(vectors[:, largest])


def sketched_components(centred: Doubles, components: int, extra: int, seed: int) -> tuple[Doubles, Doubles]:
    """Return the same of a random sketch with `extra` columns more (Halko, Martinsson and Tropp, 2011)."""
    random = np.random.default_rng(seed)
    size = min(components + extra, *centred.shape)
    basis = np.linalg.qr(centred @ random.normal(size=(centred.shape[1], size)))[0]
    for _ in range(POWER_ITERATIONS):
        basis = np.linalg.qr(centred.T @ basis)[0]
        basis = np.linalg.qr(centred @ basis)[0]
    _, singular, vectors = np.linalg.svd(basis.T @ centred, full_matrices=False)
    return singular[:components], _signed(vectors[:components].T)


def _signed(vectors: Doubles) -> Doubles:
    """Return the directions, each turned so that its largest part is positive."""
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
    return np.asarray(vectors * signs)


class ProjectionPredictor(RowPredictor):
    """Answers {"projections": [{"projection": [1.0, 2.0]}]}."""

    def __init__(self, mean: Floats, vectors: Floats) -> None:
        """Serve the projection onto `vectors` [columns, components] after `mean` [1, columns] is taken off."""
        self.mean, self.vectors = mean, vectors
        self.width = len(vectors)

    def reply(self, features: Any, accept: MediaType) -> Reply:
        """Return each row's projection."""
        del accept
        blocks = [(block - self.mean) @ self.vectors for block in dense_blocks(complete_request(features))]
        return Reply({"projection": np.concatenate(blocks)}, key="projections")
