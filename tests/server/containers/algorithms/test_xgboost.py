"""XGBoost's image beside the package called directly."""

import json
import pickle
import threading

import numpy as np
import pytest
import xgboost

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import ClientError, UnsupportedContentType
from headrace.server.containers.hyperparameters import read_hyperparameters

XGBOOST = ALGORITHMS["xgboost"]
PARAMETERS = {"max_depth": 4, "eta": 0.2, "subsample": 0.8, "min_child_weight": 3, "seed": 5}


def scores(predictor, features, write, accept="text/csv"):
    body, content_type = predictor.invoke(write(features), "text/csv", accept)
    assert content_type == accept
    return np.array([list(map(float, line.split(","))) for line in body.decode().splitlines()]).squeeze()


def rmse(predictions, labels):
    return float(np.sqrt(np.mean((np.asarray(predictions, np.float64) - labels) ** 2)))


@pytest.mark.parametrize(
    ("objective", "direct"),
    [
        ("reg:squarederror", {}),
        ("reg:linear", {"objective": "reg:squarederror"}),
        ("reg:gamma", {}),
        ("count:poisson", {}),
    ],
)
def test_answers_as_the_package_called_directly(train, write, table, objective, direct):
    features, values = table
    values = np.maximum(values, 0.1)
    job = train(
        XGBOOST,
        {"train": write(values[:400], features[:400]), "validation": write(values[400:], features[400:])},
        PARAMETERS | {"num_round": 30, "objective": objective},
    )
    booster = xgboost.train(
        PARAMETERS | {"objective": objective} | direct, xgboost.DMatrix(features[:400], values[:400]), 30
    )
    expected = booster.predict(xgboost.DMatrix(features[400:]))
    found = scores(job.load(), features[400:], write)
    assert rmse(found, values[400:]) == pytest.approx(rmse(expected, values[400:]), abs=1e-6)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "objective", ["binary:logistic", "binary:logitraw", "binary:hinge", "reg:logistic", "rank:pairwise"]
)
def test_binary_objectives_answer_as_the_package(train, write, table, objective):
    features, values = table
    labels = (values > 10).astype(np.float32)
    job = train(
        XGBOOST, {"train": write(labels, features)}, {"num_round": 20, "objective": objective, "tree_method": "exact"}
    )
    direct = xgboost.train({"objective": objective, "tree_method": "exact"}, xgboost.DMatrix(features, labels), 20)
    np.testing.assert_allclose(
        scores(job.load(), features, write), direct.predict(xgboost.DMatrix(features)), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_several_classes_answer_as_the_package(train, write, table, objective):
    features, values = table
    labels = np.digitize(values, [8, 12]).astype(np.float32)
    job = train(XGBOOST, {"train": write(labels, features)}, {"num_round": 10, "num_class": 3, "objective": objective})
    direct = xgboost.train({"objective": objective, "num_class": 3}, xgboost.DMatrix(features, labels), 10)
    expected = direct.predict(xgboost.DMatrix(features))
    np.testing.assert_allclose(scores(job.load(), features, write), expected, atol=1e-6)
    reply = json.loads(job.load().invoke(write(features[:2]), "text/csv", "application/json")[0])
    assert [list(item) for item in reply["predictions"]] == [["score"], ["score"]]
    np.testing.assert_allclose([item["score"] for item in reply["predictions"]], expected[:2], atol=1e-6)


@pytest.mark.parametrize("booster", ["gblinear", "dart"])
def test_other_boosters_are_run_by_the_library(train, write, table, booster):
    features, values = table
    given = {"booster": booster, "seed": 1} | (
        {"rate_drop": 0.2} if booster == "dart" else {"updater": "coord_descent"}
    )
    job = train(XGBOOST, {"train": write(values, features)}, given | {"num_round": 8})
    direct = xgboost.train(given, xgboost.DMatrix(features, values), 8)
    np.testing.assert_allclose(
        scores(job.load(), features, write), direct.predict(xgboost.DMatrix(features)), rtol=1e-5, atol=1e-5
    )


def test_stops_early_and_keeps_the_best_rounds(train, write, table):
    features, values = table
    job = train(
        XGBOOST,
        {"train": write(values[:300], features[:300]), "validation": write(values[300:], features[300:])},
        {"num_round": 500, "eta": 0.5, "early_stopping_rounds": 5, "eval_metric": "mae,rmse"},
    )
    training, validation = (xgboost.DMatrix(features[part], values[part]) for part in (slice(300), slice(300, 600)))
    direct = xgboost.train(
        {"eta": 0.5, "eval_metric": ["mae", "rmse"]},
        training,
        500,
        evals=[(training, "train"), (validation, "validation")],
        early_stopping_rounds=5,
        verbose_eval=False,
    )
    saved = xgboost.Booster(model_file=bytearray((job.model / "xgboost-model").read_bytes()))
    assert saved.num_boosted_rounds() == direct.best_iteration + 1
    assert len(job.values("validation:rmse")) == direct.num_boosted_rounds()
    assert min(job.values("validation:rmse")) == pytest.approx(direct.best_score, abs=1e-5)


def test_logs_each_round_as_the_container_does(train, write, table):
    features, values = table
    channels = {"train": write(values, features), "validation": write(values, features)}
    job = train(XGBOOST, channels, {"num_round": 2})
    rounds = [line for line in job.lines if line.startswith("[")]
    assert [line.partition("#011")[0] for line in rounds] == ["[0]", "[1]"]
    assert rounds[0].count("#011") == 2
    assert len(job.values("train:rmse")) == len(job.values("validation:rmse")) == 2
    assert "Train matrix has 600 rows and 5 columns" in job.lines


def test_metrics_of_the_container_that_the_library_lacks(train, write, table):
    from sklearn.metrics import f1_score, recall_score

    features, values = table
    labels = (values > 11).astype(np.float32)
    channels = {"train": write(labels, features), "validation": write(labels, features)}
    job = train(
        XGBOOST,
        channels,
        {
            "num_round": 3,
            "objective": "binary:logistic",
            "eval_metric": "f1,recall",
            "_tuning_objective_metric": "validation:auc",
        },
    )
    predicted = scores(job.load(), features, write) > 0.5
    assert job.values("validation:f1")[-1] == pytest.approx(f1_score(labels, predicted, average="macro"), abs=1e-5)
    assert job.values("validation:recall")[-1] == pytest.approx(recall_score(labels, predicted), abs=1e-5)
    assert job.values("validation:auc")


def test_weights_come_from_the_second_column(train, write, table):
    features, values = table
    weights = np.linspace(0, 3, 600, dtype=np.float32)
    job = train(XGBOOST, {"train": write(values, weights, features)}, {"num_round": 10, "csv_weights": 1})
    direct = xgboost.train({}, xgboost.DMatrix(features, values, weight=weights), 10)
    np.testing.assert_allclose(
        scores(job.load(), features, write), direct.predict(xgboost.DMatrix(features)), rtol=1e-6
    )


def test_libsvm_takes_absent_values_for_missing(train, write):
    random = np.random.default_rng(3)
    features = np.where(random.random((300, 6)) < 0.5, np.nan, random.normal(size=(300, 6))).astype(np.float32)
    labels = (np.nan_to_num(features[:, 0]) > 0).astype(np.float32)
    lines = [
        " ".join(
            [
                str(float(label)),
                *(f"{column}:{float(value)!r}" for column, value in enumerate(row) if not np.isnan(value)),
            ]
        )
        for label, row in zip(labels, features, strict=True)
    ]
    given = {"objective": "binary:logistic", "num_round": 5}
    text = ("\n".join(lines) + "\n").encode()
    job = train(XGBOOST, {"train": {"data.libsvm": text}}, given, content_type="text/libsvm")
    direct = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(features, labels), 5)
    expected = direct.predict(xgboost.DMatrix(features))
    predictor = job.load()
    np.testing.assert_allclose(scores(predictor, features, write), expected, atol=1e-6)
    body, _ = predictor.invoke(text, "text/libsvm", "")
    np.testing.assert_allclose(np.array(body.split(), float), expected, atol=1e-6)


def test_goes_on_from_the_latest_checkpoint(train, write, table):
    features, values = table
    channels = {"train": write(values, features)}
    seen = []
    stops = train(XGBOOST, channels, {"num_round": 20}, stopped=lambda: seen.append(1) or len(seen) == 7)
    assert xgboost.Booster(model_file=bytearray((stops.model / "xgboost-model").read_bytes())).num_boosted_rounds() == 7
    job = train(XGBOOST, channels, {"num_round": 20})
    assert "Resuming from iteration 7" in job.lines
    assert [line for line in job.lines if line.startswith("[7]#011train-rmse:")]
    direct = xgboost.train({}, xgboost.DMatrix(features, values), 20)
    np.testing.assert_allclose(
        scores(job.load(), features, write), direct.predict(xgboost.DMatrix(features)), rtol=1e-5, atol=1e-5
    )
    assert not [line for line in job.lines if "WARNING" in line]
    assert len(list((job.folder / "checkpoint").iterdir())) == 5


def test_begins_anew_where_the_only_checkpoint_is_a_pickle(train, write, table, tmp_path):
    folder = tmp_path / "job" / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "xgboost-checkpoint.3").write_bytes(b"\x80\x04K\x01.")
    job = train(XGBOOST, {"train": write(table[1], table[0])}, {"num_round": 2})
    assert [line[:3] for line in job.lines if line.startswith("[")] == ["[0]", "[1]"]


def test_cross_validation_leaves_a_model_a_fold(train, write, table):
    features, values = table
    labels = (values > 10).astype(np.float32)
    channels = {"train": write(labels[:400], features[:400]), "validation": write(labels[400:], features[400:])}
    job = train(XGBOOST, channels, {"num_round": 5, "_kfold": 3, "objective": "binary:logistic"})
    assert sorted(path.name for path in job.model.iterdir()) == [f"xgboost-model-{fold}" for fold in range(3)]
    saved = np.loadtxt(job.folder / "output" / "predictions.csv", delimiter=",")
    assert saved.shape == (600, 2)
    assert ((saved[:, 1] > 0.5) == saved[:, 0]).mean() > 0.8
    each = [
        xgboost.Booster(model_file=bytearray(path.read_bytes())).predict(xgboost.DMatrix(features))
        for path in sorted(job.model.iterdir())
    ]
    np.testing.assert_allclose(scores(job.load(), features, write), np.mean(each, axis=0), atol=1e-6)
    one = scores(job.load(SAGEMAKER_INFERENCE_ENSEMBLE="false"), features, write)
    np.testing.assert_allclose(one, each[0], atol=1e-6)


def test_selected_outputs(train, write, table):
    features, values = table
    labels = (values > 10).astype(np.float32)
    job = train(XGBOOST, {"train": write(labels, features)}, {"num_round": 5, "objective": "binary:logistic"})
    predictor = job.load(SAGEMAKER_INFERENCE_OUTPUT="predicted_label, probabilities,predicted_score")
    item = json.loads(predictor.invoke(write(features[:1]), "text/csv", "application/json")[0])["predictions"][0]
    plain = scores(job.load(), features[:2], write)[0]
    assert list(item) == ["predicted_label", "probabilities", "predicted_score"]
    assert item["predicted_label"] == int(plain > 0.5)
    assert item["probabilities"] == pytest.approx([1 - plain, plain])
    assert np.isnan(item["predicted_score"])
    line = predictor.invoke(write(features[:1]), "text/csv", "text/csv")[0].decode().strip()
    assert line == f'{item["predicted_label"]},"{item["probabilities"]}",nan'
    json_first = job.load(SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/json")
    assert json_first.invoke(write(features[:1]), "text/csv", "")[1] == "application/json"
    assert json_first.invoke(write(features[:1]), "text/csv", "text/csv")[1] == "text/csv"
    other = train(
        XGBOOST, {"train": write(labels, features)}, {"num_round": 1, "objective": "rank:pairwise"}, job="other"
    )
    with pytest.raises(ClientError, match="unsupported for selectable inference"):
        other.load(SAGEMAKER_INFERENCE_OUTPUT="probability").invoke(write(features[:1]), "text/csv", "")


def test_replies_in_every_documented_form(train, write, table):
    features, values = table
    predictor = train(XGBOOST, {"train": write(values, features)}, {"num_round": 5}).load()
    body, kind = predictor.invoke(write(features[:2]), "text/csv", "*/*")
    assert kind == "text/csv"
    first, second = map(float, body.decode().split())
    assert json.loads(predictor.invoke(write(features[:2]), "text/csv", "application/json")[0]) == {
        "predictions": [{"score": first}, {"score": second}]
    }
    lines = predictor.invoke(write(features[:2]), "text/csv", "application/jsonlines")[0].splitlines()
    assert list(map(json.loads, lines)) == [{"score": first}, {"score": second}]
    records, _ = predictor.invoke(write(features[:2]), "text/csv", "application/x-recordio-protobuf")
    assert predictor.invoke(write(features[:2]), "text/csv", "application/x-recordio-protobuf")[0] == records
    assert np.float32(first).tobytes() in records
    with pytest.raises(UnsupportedContentType):
        predictor.invoke(write(features[:2]), "text/csv", "image/png")
    with pytest.raises(UnsupportedContentType):
        predictor.invoke(write(features[:2]), "image/png", "")
    with pytest.raises(ClientError, match="Feature size"):
        predictor.invoke(write(features[:2, :3]), "text/csv", "")


def test_reads_a_model_saved_by_the_package(tmp_path, write, table):
    features, values = table
    booster = xgboost.train({}, xgboost.DMatrix(features, values), 5)
    (tmp_path / "xgboost-model").write_bytes(booster.save_raw("ubj"))
    found = scores(XGBOOST.load(tmp_path), features, write)
    np.testing.assert_allclose(found, booster.predict(xgboost.DMatrix(features)), rtol=1e-5, atol=1e-5)


def test_serves_several_targets_at_once(tmp_path, write, table):
    features, values = table
    both = np.column_stack([values, -values])
    booster = xgboost.train({"nthread": 1, "max_depth": 3}, xgboost.DMatrix(features, both), 4)
    (tmp_path / "xgboost-model").write_bytes(booster.save_raw("json"))
    found = scores(XGBOOST.load(tmp_path), features, write)
    np.testing.assert_allclose(found, booster.predict(xgboost.DMatrix(features)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_refuses_a_pickle(tmp_path, table, protocol):
    booster = xgboost.train({}, xgboost.DMatrix(*table), 1)
    (tmp_path / "xgboost-model").write_bytes(pickle.dumps(booster, protocol=protocol))
    with pytest.raises(ClientError, match="xgboost-model is a pickle"):
        XGBOOST.load(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b'{"learner": {}}', b'{"learner"', b"{L\0\0\0\0\0\0\0\x07learner{", b"binf"]
)
def test_refuses_what_is_no_model(tmp_path, content):
    (tmp_path / "xgboost-model").write_bytes(content)
    with pytest.raises(ClientError, match="cannot be loaded as a model of XGBoost"):
        XGBOOST.load(tmp_path)


def test_refuses_an_archive_without_a_model(tmp_path):
    with pytest.raises(ClientError, match="holds no file"):
        XGBOOST.load(tmp_path)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "No value\\(s\\) were specified for 'num_round'"),
        ({"num_round": "0"}, "Hyperparameter num_round: '0' must be"),
        ({"num_round": "1", "depth": "3"}, "Extraneous hyperparameter found: depth"),
        ({"num_round": "1", "eta": "1.5"}, "from 0 to 1"),
        ({"num_round": "1", "subsample": "0"}, "above 0"),
        ({"num_round": "1", "objective": "reg:cubic"}, "must be one of reg:squarederror"),
        ({"num_round": "1", "eval_metric": "rmse@3"}, "rmse@3"),
        ({"num_round": "1", "eval_metric": "error@x"}, "must be a number"),
        ({"num_round": "1", "interaction_constraints": "[0, 1]"}, "lists of column numbers"),
        ({"num_round": "1", "max_depth": "nan"}, "whole number"),
    ],
)
def test_refuses_hyperparameters(given, sentence):
    with pytest.raises(ClientError, match=sentence):
        read_hyperparameters(XGBOOST.hyperparameters, given)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"objective": "multi:softmax"}, "Require input for parameter 'num_class'"),
        ({"eval_metric": "auc"}, "Metric 'auc' can only"),
        ({"eval_metric": "aft-nloglik"}, "survival:aft"),
        ({"monotone_constraints": "(1,0)"}, "monotone_constraints can be used only when"),
    ],
)
def test_refuses_hyperparameters_that_do_not_go_together(given, sentence):
    with pytest.raises(ClientError, match=sentence):
        XGBOOST.check(read_hyperparameters(XGBOOST.hyperparameters, {"num_round": "1"} | given), ["train"])


def test_constraints_reach_the_library(train, write, table):
    features, values = table
    constraints = {
        "tree_method": "hist",
        "monotone_constraints": "(1,0,0,0,0)",
        "interaction_constraints": "[[0,1],[2,3]]",
    }
    job = train(XGBOOST, {"train": write(values, features)}, constraints | {"num_round": 5})
    direct = xgboost.train(constraints, xgboost.DMatrix(features, values), 5)
    np.testing.assert_allclose(
        scores(job.load(), features, write), direct.predict(xgboost.DMatrix(features)), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("labels", "given", "sentence"),
    [
        ([0, 1, 2, 3], {"objective": "binary:logistic"}, r"label must be in \[0,1\]"),
        ([0, 1, 2, 3], {"objective": "multi:softmax", "num_class": 3}, r"label must be in \[0, num_class\)"),
        ([-1, 1, 2, 3], {"objective": "count:poisson"}, "label must be non-negative"),
        ([np.nan, 1, 2, 3], {}, "has no label"),
        ([0, 1, 1, 0], {"_kfold": 9}, "_kfold is 9"),
    ],
)
def test_refuses_data_that_cannot_be_learnt(train, write, labels, given, sentence):
    with pytest.raises(ClientError, match=sentence):
        train(XGBOOST, {"train": write(labels, [1, 2, 3, 4])}, given | {"num_round": 1})


def test_refuses_channels_that_do_not_fit(train, write, table):
    features, values = table
    with pytest.raises(ClientError, match="no data"):
        train(XGBOOST, {"train": b""}, {"num_round": 1})
    with pytest.raises(ClientError, match="5"):
        train(
            XGBOOST, {"train": write(values, features), "validation": write(values, features[:, :4])}, {"num_round": 1}
        )
    with pytest.raises(ClientError, match="Missing required channel: train"):
        train(XGBOOST, {"validation": write(values, features)}, {"num_round": 1}, job="second")


def test_many_threads_get_the_same_answers(train, write, table):
    features, values = table
    predictor = train(XGBOOST, {"train": write(values, features)}, {"num_round": 20, "booster": "gblinear"}).load()
    expected = predictor.invoke(write(features), "text/csv", "")
    answers = []

    def ask():
        answers.extend(predictor.invoke(write(features), "text/csv", "") for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 20


def damaged_tree(name, place, value):
    return lambda learner: learner["gradient_booster"]["model"]["trees"][0][name].__setitem__(place, value)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (damaged_tree("left_children", 1, 0), "a child that is none of its nodes"),
        (damaged_tree("left_children", 1, 10**6), "a child that is none of its nodes"),
        (damaged_tree("left_children", 1, 2), "a node with two parents"),
        (damaged_tree("split_indices", 0, 5), "splits a column that is not there"),
        (
            lambda learner: learner["gradient_booster"]["model"]["trees"][0]["split_conditions"].pop(),
            "different lengths",
        ),
        (lambda learner: learner["gradient_booster"]["model"]["tree_info"].__setitem__(0, 9), "which class"),
        (lambda learner: learner["gradient_booster"].__setitem__("name", "gbforest"), "'gbforest' is unknown"),
        (lambda learner: learner["gradient_booster"].__setitem__("model", None), "TypeError"),
    ],
)
def test_refuses_trees_that_are_none(tmp_path, table, damage, sentence):
    model = json.loads(bytes(xgboost.train({"nthread": 1}, xgboost.DMatrix(*table), 2).save_raw("json")))
    damage(model["learner"])
    (tmp_path / "xgboost-model").write_text(json.dumps(model))
    with pytest.raises(ClientError, match=sentence):
        XGBOOST.load(tmp_path)
