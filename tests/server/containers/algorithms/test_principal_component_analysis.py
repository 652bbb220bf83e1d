"""PCA beside scikit-learn's."""

import json

import numpy as np
import pytest
from sklearn import datasets, decomposition

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import ClientError
from headrace.server.containers.hyperparameters import read_hyperparameters

PCA = ALGORITHMS["pca"]
UNLABELLED = "text/csv;label_size=0"
GIVEN = {"feature_dim": 13, "mini_batch_size": 50, "num_components": 4}


@pytest.fixture(scope="module")
def rows():
    features = datasets.load_wine(return_X_y=True)[0]
    return (features / features.std(axis=0) + 100).astype(np.float32)


@pytest.mark.parametrize("mode", ["regular", "randomized"])
@pytest.mark.parametrize("centred", [True, False])
def test_finds_the_components_of_scikit_learn(train, write, rows, mode, centred):
    job = train(
        PCA,
        {"train": write(*rows.T)},
        GIVEN | {"algorithm_mode": mode, "subtract_mean": centred},
        content_type=UNLABELLED,
    )
    model = np.load(job.model / "model_algo-1")
    assert sorted(model) == ["mean", "s", "v"]
    assert (model["mean"].shape, model["v"].shape, model["s"].shape) == ((1, 13), (13, 4), (4,))
    if centred:
        direct = decomposition.PCA(4).fit(rows.astype(float))
        singular, vectors = direct.singular_values_, direct.components_
    else:
        _, singular, vectors = np.linalg.svd(rows.astype(float), full_matrices=False)
        singular, vectors = singular[:4], vectors[:4]
    np.testing.assert_allclose(model["s"], singular[::-1], rtol=1e-4)
    agreement = np.abs(np.sum(model["v"] * vectors[::-1].T, axis=0))
    np.testing.assert_allclose(agreement, 1, atol=1e-4)
    reply = json.loads(job.load().invoke(write(*rows[:20].T), "text/csv", "application/json")[0])
    projections = np.array([item["projection"] for item in reply["projections"]])
    expected = (rows[:20] - model["mean"]) @ model["v"]
    np.testing.assert_allclose(projections, expected, atol=1e-4)


def test_replies_in_other_forms(train, write, rows):
    predictor = train(PCA, {"train": write(*rows.T)}, GIVEN, content_type=UNLABELLED).load()
    csv = predictor.invoke(write(*rows[:2].T), "text/csv", "text/csv")[0].decode().splitlines()
    lines = predictor.invoke(write(*rows[:2].T), "text/csv", "application/jsonlines")[0].splitlines()
    assert [json.loads(line)["projection"] for line in lines] == [list(map(float, line.split(","))) for line in csv]
    with pytest.raises(ClientError, match="Feature size"):
        predictor.invoke(b"1,2", "text/csv", "")


def test_refuses_more_components_than_there_can_be(train, write, rows):
    texts = {name: str(value) for name, value in (GIVEN | {"num_components": 14}).items()}
    with pytest.raises(ClientError, match="num_components is 14, more than the feature_dim of 13"):
        PCA.check(read_hyperparameters(PCA.hyperparameters, texts), ["train"])
    with pytest.raises(ClientError, match="has only 3 rows"):
        train(PCA, {"train": write(*rows[:3].T)}, GIVEN, content_type=UNLABELLED)
