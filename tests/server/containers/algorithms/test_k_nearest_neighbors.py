"""k-NN beside scikit-learn's exact neighbors."""

import json

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor, NearestNeighbors

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.algorithms.k_nearest_neighbors import fjlt_projection, sign_projection
from headrace.server.containers.contract import ClientError
from headrace.server.containers.hyperparameters import read_hyperparameters

KNN = ALGORITHMS["knn"]
CLASSIFIER = {"feature_dim": 5, "k": 3, "predictor_type": "classifier", "sample_size": 1000}
REGRESSOR = CLASSIFIER | {"predictor_type": "regressor"}


def answers(predictor, features, write, accept="application/json"):
    reply = json.loads(predictor.invoke(write(features), "text/csv", accept)[0])["predictions"]
    return {key: np.array([item[key] for item in reply]) for key in reply[0]}


def test_regressor_averages_the_nearest(train, write, table):
    features, values = table
    channels = {"train": write(values[:500], features[:500]), "test": write(values[500:], features[500:])}
    job = train(KNN, channels, REGRESSOR)
    direct = KNeighborsRegressor(3, algorithm="brute").fit(features[:500].astype(float), values[:500])
    expected = direct.predict(features[500:])
    found = answers(job.load(), features[500:], write)
    assert list(found) == ["predicted_label"]
    np.testing.assert_allclose(found["predicted_label"], expected, rtol=1e-5)
    assert job.values("test:mse") == [pytest.approx(np.mean((expected - values[500:]) ** 2), rel=1e-4)]


@pytest.mark.parametrize(("metric", "name"), [("L2", "sqeuclidean"), ("COSINE", "cosine")])
def test_verbose_reply_has_distances_and_labels(train, write, table, metric, name):
    features, values = table
    labels = (values > 10).astype(np.float32)
    shifted = features + 1000 if metric == "L2" else features
    job = train(
        KNN, {"train": write(labels, shifted)}, CLASSIFIER | {"index_metric": metric, "index_type": "faiss.IVFFlat"}
    )
    found = answers(job.load(), shifted[:50], write, "application/json; verbose=true")
    nearest = NearestNeighbors(n_neighbors=3, metric=name, algorithm="brute").fit(shifted.astype(float))
    distances, places = nearest.kneighbors(shifted[:50].astype(float))
    np.testing.assert_allclose(found["distances"], distances, atol=1e-3 if metric == "L2" else 1e-5)
    np.testing.assert_array_equal(found["labels"], labels[places])
    np.testing.assert_array_equal(found["predicted_label"], labels[places].sum(axis=1) >= 2)
    assert job.image.load(job.model).invoke(write(shifted[:1]), "text/csv", "application/x-recordio-protobuf")[0]


def test_inner_product_prefers_long_rows(train, write):
    job = train(
        KNN,
        {"train": write([1, 2, 3], [1, 2, 10])},
        {"feature_dim": 1, "k": 1, "predictor_type": "classifier", "sample_size": 3, "index_metric": "INNER_PRODUCT"},
    )
    assert answers(job.load(), [[1.0]], write)["predicted_label"] == [3]


def test_keeps_a_sample(train, write, table):
    features, values = table
    job = train(KNN, {"train": write(values, features)}, REGRESSOR | {"sample_size": 100})
    kept = np.load(job.model / "model_algo-1")
    assert kept["features"].shape == (100, 5)
    assert set(kept["labels"]) <= set(values)


def test_of_several_winners_the_nearest_counts(train, write):
    given = {"feature_dim": 1, "k": 4, "predictor_type": "classifier", "sample_size": 9}
    job = train(KNN, {"train": write([5, 7, 7, 5, 1], [1, 2, 3, 4, 90])}, given)
    assert answers(job.load(), [[0.0]], write)["predicted_label"] == [5]
    assert answers(job.load(), [[2.4]], write)["predicted_label"] == [7]


@pytest.mark.parametrize("project", [sign_projection, fjlt_projection])
def test_projections_keep_lengths(project):
    random = np.random.default_rng(1)
    rows = random.normal(size=(200, 300))
    matrix = project(300, 128, random)
    ratios = np.linalg.norm(rows @ matrix, axis=1) / np.linalg.norm(rows, axis=1)
    assert matrix.shape == (300, 128)
    assert abs(ratios.mean() - 1) < 0.05
    assert ratios.std() < 0.15


@pytest.mark.parametrize("kind", ["sign", "fjlt"])
def test_reduced_dimensions_still_classify(train, write, kind):
    random = np.random.default_rng(2)
    labels = random.integers(0, 3, 400).astype(np.float32)
    features = random.normal(size=(400, 40)) + 2 * random.normal(size=(3, 40))[labels.astype(int)]
    given = CLASSIFIER | {"feature_dim": 40, "dimension_reduction_type": kind, "dimension_reduction_target": 16}
    channels = {"train": write(labels[:300], features[:300]), "test": write(labels[300:], features[300:])}
    assert train(KNN, channels, given).values("test:accuracy")[0] > 0.9


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"k": 2000}, "k is 2000, more than the sample_size of 1000"),
        ({"dimension_reduction_type": "sign"}, "need each other"),
        ({"dimension_reduction_type": "sign", "dimension_reduction_target": 5}, "must be less than the feature_dim"),
    ],
)
def test_refuses_hyperparameters_that_do_not_go_together(given, sentence):
    texts = {name: str(value) for name, value in (CLASSIFIER | given).items()}
    with pytest.raises(ClientError, match=sentence):
        KNN.check(read_hyperparameters(KNN.hyperparameters, texts), ["train"])


@pytest.mark.parametrize(
    ("labels", "given", "sentence"),
    [
        ([0, 1], {}, "k is 3, and channel 'train' has only 2 rows"),
        ([0, 1, 0.5], {}, "The label 0.5 in row 3 of channel 'train' is no class"),
        ([0, 1, 1], {"feature_dim": 4}, "feature_dim is 4, and the rows of channel 'train' have 5 features"),
    ],
)
def test_refuses_data_that_cannot_be_learnt(train, write, table, labels, given, sentence):
    with pytest.raises(ClientError, match=sentence):
        train(KNN, {"train": write(labels, table[0][: len(labels)])}, CLASSIFIER | given)


def test_refuses_a_foreign_model(train, write, table, tmp_path):
    features, values = table
    job = train(KNN, {"train": write(values, features)}, REGRESSOR)
    (job.model / "model_algo-1").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ClientError, match="damaged or foreign"):
        job.load()
    (job.model / "manifest.json").write_text('{"algorithm": "kmeans"}')
    with pytest.raises(ClientError, match="holds a model of 'kmeans'"):
        job.load()
    (job.model / "manifest.json").write_text("[]")
    with pytest.raises(ClientError, match="damaged or foreign"):
        job.load()
    (job.model / "manifest.json").unlink()
    with pytest.raises(ClientError, match=r"has no manifest\.json"):
        job.load()
