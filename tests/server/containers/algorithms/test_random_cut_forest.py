"""Random Cut Forest's image beside the forest of the library."""

import json

import numpy as np
import pytest

from headrace.ml.algorithms.random_cut_forest import Forest
from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import ClientError

FOREST = ALGORITHMS["randomcutforest"]
UNLABELLED = "text/csv;label_size=0"
GIVEN = {"feature_dim": 3, "num_trees": 50, "num_samples_per_tree": 64}


@pytest.fixture(scope="module")
def rows():
    found = np.random.default_rng(6).normal(size=(500, 3)).astype(np.float32)
    found[::100] += 12
    return found


def test_answers_the_scores_of_the_library(train, write, rows):
    job = train(FOREST, {"train": write(*rows.T)}, GIVEN, content_type=UNLABELLED)
    forest = Forest(
        3, num_trees=50, num_samples_per_tree=64, time_decay=0, output_after=1, initial_accept_fraction=1, seed=0
    )
    forest.update(rows)
    predictor = job.load()
    reply = json.loads(predictor.invoke(write(*rows[:20].T), "text/csv", "application/json")[0])
    scores = [item["score"] for item in reply["scores"]]
    np.testing.assert_allclose(scores, forest.score(rows[:20]))
    assert np.argmax(scores) == 0
    csv, _ = predictor.invoke(write(*rows[:20].T), "text/csv", "text/csv")
    assert [float(line) for line in csv.splitlines()] == scores
    with pytest.raises(ClientError, match="finite numbers up to"):
        predictor.invoke(b"3e38,1,1", "text/csv", "")


def test_labelled_rows_give_metrics(train, write, rows):
    truth = (np.arange(500) % 100 == 0).astype(np.float32)
    job = train(
        FOREST, {"train": write(*rows.T), "test": write(truth, *rows.T)}, GIVEN, content_types={"train": UNLABELLED}
    )
    assert job.values("test:f1") == [1.0]
    assert job.values("test:accuracy") == [1.0]
    with pytest.raises(ClientError, match="The label 2 in row 1 of channel 'test'"):
        train(
            FOREST,
            {"train": write(*rows.T), "test": write(truth + 1, *rows.T)},
            GIVEN,
            content_types={"train": UNLABELLED},
        )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"feature_dim": 4}, "feature_dim is 4, and the rows of channel 'train' have 3 features"),
        ({"num_trees": 49}, "from 50 to 1,000"),
        ({"num_samples_per_tree": 2049}, "from 1 to 2,048"),
        ({"eval_metrics": '["f1"]'}, "eval_metrics"),
    ],
)
def test_refuses_what_cannot_be_learnt(train, write, rows, given, sentence):
    with pytest.raises(ClientError, match=sentence):
        train(FOREST, {"train": write(*rows.T)}, GIVEN | given, content_type=UNLABELLED)


def test_refuses_a_damaged_model(train, write, rows):
    job = train(FOREST, {"train": write(*rows.T)}, GIVEN, content_type=UNLABELLED)
    (job.model / "model_algo-1").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ClientError, match="not a model saved by headrace"):
        job.load()
