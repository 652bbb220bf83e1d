"""K-Means beside scikit-learn's."""

import json

import numpy as np
import pytest
from sklearn import cluster, datasets

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import ClientError

KMEANS = ALGORITHMS["kmeans"]
UNLABELLED = "text/csv;label_size=0"


@pytest.fixture(scope="module")
def blobs():
    return datasets.make_blobs(900, 4, centers=7, random_state=4)[0].astype(np.float32)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"init_method": "kmeans++", "local_lloyd_init_method": "random"},
        {"extra_center_factor": 4, "mini_batch_size": 100, "epochs": 3, "half_life_time_size": 300},
        {"extra_center_factor": 1, "init_method": "kmeans++"},
    ],
)
def test_is_as_good_as_scikit_learn(train, write, blobs, given):
    job = train(KMEANS, {"train": write(*blobs.T)}, {"feature_dim": 4, "k": 7} | given, content_type=UNLABELLED)
    direct = cluster.KMeans(7, n_init=10, random_state=0).fit(blobs)
    assert job.values("train:msd")[0] <= direct.inertia_ / len(blobs) * (
        2.0 if "extra_center_factor" in given else 1.01
    )
    assert job.values("train:progress")[-1] == 100


def test_answers_closest_cluster_and_distance(train, write, blobs):
    job = train(
        KMEANS,
        {"train": write(*blobs.T), "test": write(*blobs[:100].T)},
        {"feature_dim": 4, "k": 7, "eval_metrics": '["msd", "ssd"]'},
        content_type=UNLABELLED,
    )
    centers = np.load(job.model / "model_algo-1")["centers"]
    predictor = job.load()
    items = json.loads(predictor.invoke(write(*blobs[:100].T), "text/csv", "application/json")[0])["predictions"]
    distances = np.linalg.norm(blobs[:100, None, :] - centers[None], axis=2)
    assert list(items[0]) == ["closest_cluster", "distance_to_cluster"]
    assert isinstance(items[0]["closest_cluster"], float)
    np.testing.assert_array_equal([item["closest_cluster"] for item in items], distances.argmin(axis=1))
    found = np.array([item["distance_to_cluster"] for item in items])
    np.testing.assert_allclose(found, distances.min(axis=1), rtol=1e-5)
    assert job.values("test:msd") == [pytest.approx(np.mean(found**2), rel=1e-5)]
    assert job.values("test:ssd") == [pytest.approx(np.sum(found**2), rel=1e-5)]
    body = predictor.invoke(write(*blobs[:1].T), "text/csv", "text/csv")[0].decode()
    assert body == f"{items[0]['closest_cluster']},{items[0]['distance_to_cluster']}\n"


def test_clusters_far_from_zero_are_told_apart(train, write):
    rows = np.array([[1e5, 1e5], [1e5 + 1, 1e5], [1e5, 1e5 + 9], [1e5 + 1, 1e5 + 9]], np.float32)
    job = train(KMEANS, {"train": write(*rows.T)}, {"feature_dim": 2, "k": 2}, content_type=UNLABELLED)
    items = json.loads(job.load().invoke(write(*rows.T), "text/csv", "")[0])["predictions"]
    places = [item["closest_cluster"] for item in items]
    assert places[0] == places[1] != places[2] == places[3]
    assert [item["distance_to_cluster"] for item in items] == [0.5] * 4


@pytest.mark.parametrize(
    ("given", "content_type", "sentence"),
    [
        ({"k": 901, "feature_dim": 4}, UNLABELLED, "k is 901, and channel 'train' has only 900 rows"),
        ({"k": 2, "feature_dim": 5}, UNLABELLED, "feature_dim is 5, and the rows of channel 'train' have 4 features"),
        ({"k": 2, "feature_dim": 4}, "text/csv;label_size=1", "feature_dim is 4, and the rows .* have 3 features"),
        ({"feature_dim": 4}, UNLABELLED, "'k' which are required"),
        ({"k": 2, "feature_dim": 4, "init_method": "best"}, UNLABELLED, "init_method"),
        ({"k": 2, "feature_dim": 4, "eval_metrics": '["mse"]'}, UNLABELLED, "eval_metrics"),
    ],
)
def test_refuses_what_cannot_be_clustered(train, write, blobs, given, content_type, sentence):
    with pytest.raises(ClientError, match=sentence):
        train(KMEANS, {"train": write(*blobs.T)}, given, content_type=content_type)


def test_refuses_missing_values(train, write):
    with pytest.raises(ClientError, match="Row 2 of channel 'train' has no value in feature 1"):
        train(KMEANS, {"train": write([1, np.nan, 2], [1, 2, 3])}, {"k": 1, "feature_dim": 2}, content_type=UNLABELLED)
