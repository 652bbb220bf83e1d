"""LightGBM and CatBoost beside the packages called directly, and how JumpStart's data lies in a channel."""

import json
import threading

import catboost
import lightgbm
import numpy as np
import pytest

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import ClientError
from headrace.server.containers.hyperparameters import read_hyperparameters

LIGHTGBM, CATBOOST = ALGORITHMS["lightgbm"], ALGORITHMS["catboost"]
QUICK = {
    "lightgbm": {"num_boost_round": 30, "num_threads": 1},
    "catboost": {"iterations": 40, "learning_rate": 0.1, "thread_count": 1},
}
BOTH = pytest.mark.parametrize("image", [LIGHTGBM, CATBOOST], ids=["lightgbm", "catboost"])
LIGHTGBM_DEFAULTS = {
    "num_leaves": 64,
    "max_depth": 6,
    "min_data_in_leaf": 3,
    "feature_fraction": 0.9,
    "bagging_fraction": 0.9,
    "bagging_freq": 1,
    "num_threads": 1,
    "seed": 0,
    "verbosity": -1,
}
CATBOOST_DEFAULTS = {
    "iterations": 40,
    "learning_rate": 0.1,
    "early_stopping_rounds": 5,
    "depth": 6,
    "bootstrap_type": "Bayesian",
    "sampling_frequency": "PerTreeLevel",
    "random_seed": 1,
    "thread_count": 1,
    "allow_writing_files": False,
    "logging_level": "Silent",
}


@pytest.fixture
def parts(table):
    features, values = table
    return features[:400], values[:400], features[400:], values[400:]


def channels(write, features, labels, others, truth):
    return {"train": write(labels, features), "validation": write(truth, others)}


def replied(predictor, body, accept="application/json"):
    return json.loads(predictor.invoke(body, "text/csv", accept)[0])


def test_lightgbm_answers_as_the_package(train, write, parts):
    features, values, others, truth = parts
    job = train(LIGHTGBM, channels(write, *parts), QUICK["lightgbm"])
    training = lightgbm.Dataset(features, values)
    direct = lightgbm.train(
        LIGHTGBM_DEFAULTS | {"objective": "regression", "metric": "rmse"},
        training,
        30,
        valid_sets=[lightgbm.Dataset(others, truth, reference=training)],
        callbacks=[lightgbm.early_stopping(10, verbose=False)],
    )
    reply = replied(job.load(), write(others))
    assert list(reply) == ["prediction"]
    np.testing.assert_allclose(
        reply["prediction"], direct.predict(others, num_iteration=direct.best_iteration), rtol=2e-6
    )
    assert min(job.values("rmse")) == pytest.approx(direct.best_score["valid_0"]["rmse"], abs=1e-5)


def test_catboost_answers_as_the_package(train, write, parts):
    features, values, others, truth = parts
    job = train(CATBOOST, channels(write, *parts), QUICK["catboost"])
    direct = catboost.CatBoostRegressor(**CATBOOST_DEFAULTS).fit(features, values, eval_set=(others, truth))
    reply = replied(job.load(), write(others))
    assert list(reply) == ["prediction"]
    np.testing.assert_allclose(reply["prediction"], direct.predict(others), rtol=1e-6)
    assert job.values("RMSE") == [pytest.approx(direct.best_score_["validation"]["RMSE"], abs=1e-4)]
    assert job.values("AUC") == []


@BOTH
@pytest.mark.parametrize("classes", [2, 3])
def test_classifiers_answer_probabilities(train, write, parts, image, classes):
    features, values, others, truth = parts
    borders = [10] if classes == 2 else [8, 12]
    labels, true = np.digitize(values, borders), np.digitize(truth, borders)
    predictor = train(image, channels(write, features, labels, others, true), QUICK[image.name]).load()
    reply = replied(predictor, write(others))
    assert list(reply) == ["probabilities"]
    probabilities = np.array(reply["probabilities"])
    assert probabilities.shape == (200, classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.mean(probabilities.argmax(axis=1) == true) > 0.7
    verbose = replied(predictor, write(others[:5]), "application/json;verbose")
    assert verbose["predicted_label"] == probabilities[:5].argmax(axis=1).tolist()
    assert verbose["labels"] == list(range(classes))
    csv, kind = predictor.invoke(write(others[:5]), "text/csv", "text/csv")
    assert kind == "text/csv"
    np.testing.assert_allclose(np.array([line.split(",") for line in csv.decode().split()], float), probabilities[:5])


@BOTH
def test_data_lies_in_one_channel_with_categories(train, write, image):
    random = np.random.default_rng(5)
    colours, numbers = random.integers(0, 30, 800), random.normal(size=800)
    labels = (np.isin(colours, [2, 3, 11, 17, 23, 28]) ^ (random.random(800) < 0.02)).astype(float)
    table = write(labels, numbers, colours)
    lines = table.splitlines(keepends=True)
    files = {
        "train/data.csv": b"".join(lines[:600]),
        "train/categorical_index.json": b'{"cat_index_list": [2]}',
        "validation/data.csv": b"".join(lines[600:]),
    }
    job = train(image, {"training": files}, QUICK[image.name])
    reply = replied(job.load(), write(numbers[600:], colours[600:]))
    assert np.mean(np.array(reply["probabilities"]).argmax(axis=1) == labels[600:]) > 0.9
    if image is LIGHTGBM:
        assert "categorical_feature: 1" in (job.model / "model.txt").read_text()


@BOTH
def test_a_fifth_is_held_out_where_nothing_validates(train, write, parts, image):
    features, values, others, _ = parts
    job = train(image, {"train": write(values, features)}, QUICK[image.name])
    assert job.values(image.metrics[0].name)
    assert len(replied(job.load(), write(others))["prediction"]) == 200


@BOTH
def test_the_name_of_the_model_may_say_the_task(train, write, image, table):
    whole = np.arange(600) % 3
    job = train(ALGORITHMS[f"{image.name}-regression"], {"train": write(whole, table[0])}, QUICK[image.name])
    assert list(replied(job.load(), write(table[0][:3]))) == ["prediction"]
    with pytest.raises(ClientError, match="is no class"):
        train(
            ALGORITHMS[f"{image.name}-classification"],
            {"train": write(table[1], table[0])},
            QUICK[image.name],
            job="second",
        )


@BOTH
@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"data.csv": b"1,2\n1,3\n", "categorical_index.json": b'{"cat_index_list": [0]}'},
            "has 0; it may hold whole numbers from 1 to 1",
        ),
        ({"data.csv": b"1,2\n1,3\n", "categorical_index.json": b"{}"}, "is not of the form"),
        ({"data.csv": b"1,2\n"}, "has 1 row"),
        ({"data.csv": b"1,2\n", "validation/data.csv": b"1,2\n"}, "no train/"),
        ({"data.csv": b""}, "no data"),
    ],
)
def test_refuses_data_that_cannot_be_learnt(train, image, files, sentence):
    with pytest.raises(ClientError, match=sentence):
        train(image, {"train": files}, QUICK[image.name])


@BOTH
def test_refuses_one_class_and_odd_channels(train, write, image, table):
    with pytest.raises(ClientError, match="one class only"):
        train(ALGORITHMS[f"{image.name}-classification"], {"train": write(np.ones(600), table[0])}, QUICK[image.name])
    with pytest.raises(ClientError, match="neither 'train' nor 'training'"):
        train(image, {"validation": b"1,2\n"}, QUICK[image.name], job="second")
    with pytest.raises(ClientError, match="both 'train' and 'training'"):
        train(image, {"train": b"1,2\n", "training": b"1,2\n"}, QUICK[image.name], job="third")


@BOTH
def test_refuses_a_model_that_is_not_its_own(train, write, image, table):
    job = train(image, {"train": write(table[1], table[0])}, QUICK[image.name])
    file = next(path for path in job.model.iterdir() if path.suffix in (".txt", ".cbm"))
    file.write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ClientError, match="train again"):
        job.load()


@BOTH
def test_a_stopped_job_leaves_a_model(train, write, image, table):
    job = train(image, {"train": write(table[1], table[0])}, QUICK[image.name], stopped=lambda: True)
    assert len(replied(job.load(), write(table[0][:3]))["prediction"]) == 3


@BOTH
def test_many_threads_get_the_same_answers(train, write, image, table):
    predictor = train(image, {"train": write(table[1], table[0])}, QUICK[image.name]).load()
    expected = [predictor.invoke(write(table[0][row : row + 1]), "text/csv", "") for row in range(20)]
    answers = [[] for _ in range(4)]

    def ask(found):
        found.extend(predictor.invoke(write(table[0][row : row + 1]), "text/csv", "") for row in range(20))

    threads = [threading.Thread(target=ask, args=(found,)) for found in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 4


def test_lightgbm_refuses_two_ways_to_weigh_classes():
    values = read_hyperparameters(LIGHTGBM.hyperparameters, {"is_unbalance": "True", "scale_pos_weight": "2"})
    with pytest.raises(ClientError, match="is_unbalance cannot be true"):
        LIGHTGBM.check(values, ["train"])


@pytest.mark.parametrize("policy", ["Lossguide", "Depthwise"])
def test_catboost_grows_other_trees(train, write, table, policy):
    given = QUICK["catboost"] | {"grow_policy": policy, "max_leaves": 8, "min_data_in_leaf": 3, "max_bin": 32}
    job = train(CATBOOST, {"train": write(table[1], table[0])}, given)
    assert job.values("RMSE")


@pytest.mark.parametrize(("field", "value"), [("left_child", "0"), ("split_feature", "9"), ("num_leaves", "1000000")])
def test_refuses_trees_of_lightgbm_that_are_none(train, write, table, field, value):
    import re

    job = train(LIGHTGBM, {"train": write(table[1], table[0])}, QUICK["lightgbm"])
    text = (job.model / "model.txt").read_text()
    (job.model / "model.txt").write_text(re.sub(rf"{field}=-?\d+", f"{field}={value}", text, count=1))
    with pytest.raises(ClientError, match=r"tree 0 (is no tree over 5 features|has .* thresholds)"):
        job.load()
