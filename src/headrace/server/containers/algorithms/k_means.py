"""K-Means: more centres than asked for follow the rows in mini-batches, and Lloyd's algorithm reduces them."""

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
from headrace.server.containers.hyperparameters import FORCE_DENSE, Parameter
from headrace.server.containers.inputs import AI_ALGORITHMS_TYPES, dense_blocks, read_unlabelled
from headrace.server.containers.logs import LOSS, PROGRESS, progress_line, quality_line, quality_metric
from headrace.server.containers.serving import RowPredictor, complete_request
from headrace.server.containers.values import automatic, choice, real, whole, words

RANDOM, PLUS_PLUS = "random", "kmeans++"
EXTRA_CENTERS = 10
TRIALS = 10
DISTANCES_AT_ONCE = 4_000_000
_method = choice(RANDOM, PLUS_PLUS)


class KMeans(BuiltIn):
    """AWS's "K-Means Algorithm": a web-scale variant, finished by Lloyd's algorithm on the training rows."""

    name = "kmeans"
    title = "K-Means"
    repositories = ("kmeans",)
    hyperparameters: ClassVar[Mapping[str, Parameter]] = {
        "feature_dim": Parameter(whole(1), "the number of features", required=True),
        "k": Parameter(whole(1), "the number of clusters", required=True),
        "mini_batch_size": Parameter(whole(1), "rows a step", default=5000, tunable=("integer", 3000, 15000, "Auto")),
        "epochs": Parameter(whole(1), "passes over the data", default=1, tunable=("integer", 1, 10, "Auto")),
        "init_method": Parameter(
            _method, "how the centers begin", default=RANDOM, tunable=("categorical", (PLUS_PLUS, RANDOM))
        ),
        "extra_center_factor": Parameter(
            automatic(whole(1)), "centers that are followed, as a multiple of k", tunable=("integer", 4, 10, "Auto")
        ),
        "half_life_time_size": Parameter(whole(0), "rows after which earlier ones weigh half; 0: they keep", default=0),
        "local_lloyd_max_iter": Parameter(whole(1), "iterations of Lloyd's algorithm at the end", default=300),
        "local_lloyd_tol": Parameter(real(0), "relative fall of the error that goes on with it", default=0.0001),
        "local_lloyd_init_method": Parameter(_method, "how it begins", default=PLUS_PLUS),
        "local_lloyd_num_trials": Parameter(automatic(whole(1)), "how often it begins; the best is kept"),
        "eval_metrics": Parameter(words("msd", "ssd"), "metrics of the test channel", default=("msd",)),
        "force_dense": FORCE_DENSE,
    }
    channels: ClassVar[Mapping[str, ChannelRule]] = {
        "train": ChannelRule(True, AI_ALGORITHMS_TYPES),
        "test": ChannelRule(False, AI_ALGORITHMS_TYPES),
    }
    metrics: ClassVar[Sequence[Metric]] = (
        *(quality_metric(channel, name, LOSS) for channel in ("train", "test") for name in ("msd", "ssd")),
        PROGRESS,
    )

    def train(self, run: TrainingRun) -> None:
        """Find k centers; logs the mean (msd) and the sum (ssd) of squared distances to them."""
        given = run.hyperparameters
        rows = read_unlabelled(run, "train", width=given["feature_dim"])
        if given["k"] > len(rows):
            raise ClientError(
                f"The hyperparameter k is {given['k']}, and channel 'train' has only {len(rows)} rows; add rows or ask "
                "for fewer clusters"
            )
        random = np.random.default_rng(run.seed)
        centers, counts = follow(rows, run, random)
        centers = reduce_centers(rows, centers, counts, run)
        save_model(run.model, self.name, {"centers": centers.astype(np.float32)}, {"k": given["k"]})
        predictor = self.load(run.model)
        for name in ("train", "test"):
            if name == "test" and name not in run.channels:
                continue
            judged = rows if name == "train" else read_unlabelled(run, name, width=given["feature_dim"])
            squares = np.square(predictor.closest(judged)[1].astype(np.float64))
            values = {"msd": float(squares.mean()), "ssd": float(squares.sum())}
            for metric in given["eval_metrics"]:
                run.log(quality_line(name, metric, values[metric], LOSS))

    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> KMeansPredictor:
        """Return the model that `train` left."""
        del environment
        return KMeansPredictor(load_model(folder, self.name, ("centers",))[0]["centers"])


def follow(rows: Floats, run: TrainingRun, random: np.random.Generator) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the centers [k * factor, columns] that moved with the mini-batches, and how many rows each stands for."""
    from sklearn.cluster import kmeans_plusplus

    given = run.hyperparameters
    batch = min(given["mini_batch_size"], len(rows))
    wanted = min(given["k"] * (given["extra_center_factor"] or EXTRA_CENTERS), max(given["k"], batch))
    first = rows[random.choice(len(rows), max(batch, wanted), replace=False)].astype(np.float64)
    if given["init_method"] == PLUS_PLUS:
        centers, _ = kmeans_plusplus(first, wanted, random_state=run.seed)
    else:
        centers = first[:wanted].copy()
    counts = np.zeros(wanted)
    decay = 0.5 ** (batch / given["half_life_time_size"]) if given["half_life_time_size"] else 1.0
    for epoch in range(given["epochs"]):
        order = random.permutation(len(rows))
        for start in range(0, len(rows), batch):
            block = rows[order[start : start + batch]].astype(np.float64)
            places = nearest(block, centers)[0]
            new = np.bincount(places, minlength=wanted)
            sums = np.zeros_like(centers)
            np.add.at(sums, places, block)
            counts = counts * decay + new
            centers += (sums - new[:, None] * centers) / np.maximum(counts, 1)[:, None]
            if run.stopped():
                return centers, counts
        run.log(progress_line(epoch + 1, given["epochs"]))
    return centers, counts


def reduce_centers(
    rows: Floats, centers: npt.NDArray[Any], counts: npt.NDArray[Any], run: TrainingRun
) -> npt.NDArray[Any]:
    """Return k centers: Lloyd's algorithm on the weighted centers, then, from its result, on the rows themselves."""
    import warnings

    from sklearn.cluster import KMeans as Lloyd
    from sklearn.exceptions import ConvergenceWarning

    given = run.hyperparameters
    k, iterations, tolerance = given["k"], given["local_lloyd_max_iter"], given["local_lloyd_tol"]
    method = "k-means++" if given["local_lloyd_init_method"] == PLUS_PLUS else "random"
    settings = {"n_clusters": k, "max_iter": iterations, "tol": tolerance, "random_state": run.seed}
    used = counts > 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if used.sum() > k:
            lloyd = Lloyd(init=method, n_init=given["local_lloyd_num_trials"] or TRIALS, **settings)
            centers = lloyd.fit(centers[used], sample_weight=counts[used]).cluster_centers_
        else:
            centers = centers[np.argsort(-counts, kind="stable")[:k]]
        found: npt.NDArray[Any] = (
            Lloyd(init=centers, n_init=1, **settings).fit(rows.astype(np.float64)).cluster_centers_
        )
    return found


def nearest(rows: npt.NDArray[Any], centers: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Return the nearest center of each row, and the Euclidean distance to it."""
    if len(rows) * len(centers) > DISTANCES_AT_ONCE and len(rows) > 1:
        half = len(rows) // 2
        parts = nearest(rows[:half], centers), nearest(rows[half:], centers)
        places, distances = (np.concatenate(part) for part in zip(*parts, strict=True))
        return places, distances
    middle = centers.mean(axis=0)
    around = centers - middle
    offsets = np.einsum("ij,ij->i", around, around) - 2 * ((rows - middle) @ around.T)
    places = offsets.argmin(axis=1)
    return places, np.linalg.norm(rows - centers[places], axis=1)


class KMeansPredictor(RowPredictor):
    """Answers {"predictions": [{"closest_cluster": 1.0, "distance_to_cluster": 3.0}]}."""

    def __init__(self, centers: Floats) -> None:
        """Serve these centers [k, columns]."""
        self.centers = centers
        self.width = centers.shape[1]

    def reply(self, features: Any, accept: MediaType) -> Reply:
        """Return each row's closest cluster and its distance."""
        del accept
        found = [self.closest(block) for block in dense_blocks(complete_request(features))]
        places, distances = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return Reply({"closest_cluster": places.astype(np.float32), "distance_to_cluster": distances})

    def closest(self, rows: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
        """Return the closest cluster of each row, and the Euclidean distance to its center."""
        return nearest(rows, self.centers)
