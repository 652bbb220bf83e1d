"""Linear Learner beside scikit-learn's linear models."""

import json

import numpy as np
import pytest
from sklearn import datasets, linear_model
from sklearn.metrics import accuracy_score, f1_score, mean_pinball_loss, precision_score, recall_score
from sklearn.preprocessing import StandardScaler

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import ClientError
from headrace.server.containers.hyperparameters import read_hyperparameters

LINEAR = ALGORITHMS["linear-learner"]
BINARY = {"predictor_type": "binary_classifier"}
MULTICLASS = {"predictor_type": "multiclass_classifier", "num_classes": 3}
REGRESSOR = {"predictor_type": "regressor"}


def answers(predictor, features, write, key="score"):
    reply = json.loads(predictor.invoke(write(features), "text/csv", "application/json")[0])
    return np.array([item[key] for item in reply["predictions"]])


def halves(features, labels):
    order = np.random.default_rng(0).permutation(len(labels))
    features, labels = features[order].astype(np.float32), labels[order].astype(np.float32)
    half = len(labels) // 2
    return features[:half], labels[:half], features[half:], labels[half:]


@pytest.fixture(scope="module")
def cancer():
    return halves(*datasets.load_breast_cancer(return_X_y=True))


@pytest.fixture(scope="module")
def wine():
    return halves(*datasets.load_wine(return_X_y=True))


@pytest.fixture(scope="module")
def diabetes():
    return halves(*datasets.load_diabetes(return_X_y=True))


@pytest.mark.parametrize("loss", ["auto", "hinge_loss"])
@pytest.mark.parametrize("optimizer", ["auto", "adam", "sgd", "rmsprop"])
def test_binary_classifier_is_as_good_as_scikit_learn(train, write, cancer, loss, optimizer):
    features, labels, others, truth = cancer
    small = {} if optimizer == "auto" else {"mini_batch_size": 32, "epochs": 30, "early_stopping_tolerance": 1e-6}
    job = train(
        LINEAR,
        {"train": write(labels, features), "test": write(truth, others)},
        BINARY | small | {"loss": loss, "optimizer": optimizer},
    )
    scaler = StandardScaler().fit(features)
    best = linear_model.LogisticRegression().fit(scaler.transform(features), labels)
    expected = accuracy_score(truth, best.predict(scaler.transform(others)))
    found = accuracy_score(truth, answers(job.load(), others, write, "predicted_label"))
    assert found >= expected - 0.015
    assert job.values("test:binary_classification_accuracy") == [pytest.approx(found)]
    assert job.values("train:objective_loss")


def test_weak_penalty_finds_scikit_learns_own_model(train, write, cancer):
    features, labels, others, _ = cancer
    job = train(
        LINEAR,
        {"train": write(labels, features)},
        BINARY | {"wd": 1 / len(labels), "epochs": 50, "early_stopping_tolerance": 1e-9},
    )
    scaler = StandardScaler().fit(features)
    direct = linear_model.LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(scaler.transform(features), labels)
    expected = direct.predict_proba(scaler.transform(others))[:, 1]
    np.testing.assert_allclose(answers(job.load(), others, write), expected, atol=1e-3)


def test_multiclass_classifier(train, write, wine):
    features, labels, others, truth = wine
    job = train(LINEAR, {"train": write(labels, features), "test": write(truth, others)}, MULTICLASS)
    predictor = job.load()
    scores = answers(predictor, others, write)
    assert scores.shape == (len(truth), 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    predicted = answers(predictor, others, write, "predicted_label")
    assert accuracy_score(truth, predicted) >= 0.96
    np.testing.assert_array_equal(predicted, scores.argmax(axis=1))
    assert job.values("test:macro_f_beta") == [pytest.approx(f1_score(truth, predicted, average="macro"))]
    assert job.values("test:multiclass_top_k_accuracy") == [1.0]
    hinge = train(
        LINEAR,
        {"train": write(labels, features)},
        MULTICLASS | {"loss": "hinge_loss", "balance_multiclass_weights": True},
        job="hinge",
    )
    assert accuracy_score(truth, answers(hinge.load(), others, write, "predicted_label")) >= 0.94


@pytest.mark.parametrize("loss", ["auto", "huber_loss", "eps_insensitive_squared_loss"])
def test_regressor_is_as_good_as_scikit_learn(train, write, diabetes, loss):
    features, labels, others, truth = diabetes
    job = train(LINEAR, {"train": write(labels, features), "test": write(truth, others)}, REGRESSOR | {"loss": loss})
    direct = linear_model.RidgeCV(alphas=np.logspace(-4, 1, 20)).fit(features, labels)
    expected = np.mean((direct.predict(others) - truth) ** 2)
    found = np.mean((answers(job.load(), others, write) - truth) ** 2)
    assert found <= expected * 1.03
    assert job.values("test:mse") == [pytest.approx(found, rel=1e-5)]
    assert json.loads(job.load().invoke(write(others[:1]), "text/csv", "")[0])["predictions"][0].keys() == {"score"}


@pytest.mark.parametrize("loss", ["absolute_loss", "eps_insensitive_absolute_loss"])
def test_absolute_losses_find_the_median(train, write, diabetes, loss):
    features, labels, others, truth = diabetes
    job = train(LINEAR, {"train": write(labels, features)}, REGRESSOR | {"loss": loss, "epochs": 30})
    direct = linear_model.QuantileRegressor(quantile=0.5, alpha=0).fit(features, labels)
    expected = np.mean(np.abs(direct.predict(others) - truth))
    assert np.mean(np.abs(answers(job.load(), others, write) - truth)) <= expected * 1.03


def test_quantiles(train, write, diabetes):
    features, labels, others, truth = diabetes
    job = train(
        LINEAR, {"train": write(labels, features)}, REGRESSOR | {"loss": "quantile_loss", "quantile": 0.9, "epochs": 30}
    )
    direct = linear_model.QuantileRegressor(quantile=0.9, alpha=0).fit(features, labels)
    found = answers(job.load(), others, write)
    assert mean_pinball_loss(truth, found, alpha=0.9) <= 1.03 * mean_pinball_loss(
        truth, direct.predict(others), alpha=0.9
    )
    assert np.mean(answers(job.load(), features, write) >= labels) == pytest.approx(0.9, abs=0.03)


def test_l1_switches_features_off(train, write, diabetes):
    features, labels, _, _ = diabetes
    job = train(LINEAR, {"train": write(labels, features)}, REGRESSOR | {"l1": 0.6})
    assert np.sum(np.abs(np.load(job.model / "model_algo-1")["weight"]) < 1e-9) >= 5


@pytest.mark.parametrize(
    ("criterion", "options"),
    [
        ("precision_at_target_recall", {"target_recall": 0.95}),
        ("recall_at_target_precision", {"target_precision": 0.97}),
        ("f_beta", {"f_beta": 2.0}),
    ],
)
def test_threshold_follows_the_criterion(train, write, criterion, options):
    features, labels = datasets.make_classification(800, 6, weights=[0.8], flip_y=0.1, random_state=3)
    features, labels, others, truth = halves(features, labels)
    given = BINARY | options | {"binary_classifier_model_selection_criteria": criterion}
    job = train(LINEAR, {"train": write(labels, features), "validation": write(truth, others)}, given)
    predicted = answers(job.load(), others, write, "predicted_label")
    scores = answers(job.load(), others, write)
    tries = [scores > threshold for threshold in np.unique(scores)[:-1]]
    if criterion == "precision_at_target_recall":
        assert recall_score(truth, predicted) >= 0.95
        best = max(precision_score(truth, each) for each in tries if recall_score(truth, each) >= 0.95)
        assert precision_score(truth, predicted) == pytest.approx(best)
    elif criterion == "recall_at_target_precision":
        reachable = [each for each in tries if precision_score(truth, each) >= 0.97]
        if reachable:
            assert recall_score(truth, predicted) == pytest.approx(max(recall_score(truth, each) for each in reachable))
    else:
        from sklearn.metrics import fbeta_score

        best = max(fbeta_score(truth, each, beta=2) for each in tries)
        assert fbeta_score(truth, predicted, beta=2) == pytest.approx(best)


def test_heavier_positive_rows_raise_recall(train, write):
    features, labels = datasets.make_classification(600, 5, weights=[0.9], flip_y=0.1, random_state=1)
    channel = {"train": write(labels, features)}
    given = BINARY | {"binary_classifier_model_selection_criteria": "loss_function"}
    plain = train(LINEAR, channel, given)
    heavy = train(LINEAR, channel, given | {"positive_example_weight_mult": "balanced"}, job="heavy")
    recalls = [recall_score(labels, answers(job.load(), features, write, "predicted_label")) for job in (plain, heavy)]
    assert recalls[1] > recalls[0] + 0.1


@pytest.mark.parametrize("optimizer", ["auto", "adam"])
def test_sparse_rows_give_the_model_of_dense_ones(tmp_path, optimizer):
    from scipy.sparse import csr_matrix

    from headrace.server.containers.algorithms.linear_learner.training import train as fit
    from headrace.server.containers.contract import TrainingRun

    random = np.random.default_rng(3)
    features = (random.normal(size=(300, 8)) * (random.random((300, 8)) < 0.3)).astype(np.float32)
    labels = (features @ random.normal(size=8) > 0).astype(np.int64)
    texts = {"predictor_type": "binary_classifier", "optimizer": optimizer, "unbias_data": "false"}
    options = read_hyperparameters(LINEAR.hyperparameters, texts) | {"loss": "logistic"}
    run = TrainingRun(options, {}, tmp_path, tmp_path, tmp_path, log=lambda line: None, stopped=lambda: False)
    dense, sparse = (fit(run, options, {"train": (table, labels)}) for table in (features, csr_matrix(features)))
    np.testing.assert_allclose(sparse.weight, dense.weight, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(
        sparse.scores(csr_matrix(features), "logistic"), dense.scores(features, "logistic"), atol=1e-3
    )


def test_sparse_rows_are_answered_as_dense_ones(train, write, cancer):
    features, labels, others, _ = cancer
    body = json.dumps({"instances": [{"data": {"features": {"keys": [0, 3], "shape": [30], "values": [14.0, 600.0]}}}]})
    predictor = train(LINEAR, {"train": write(labels, features)}, BINARY).load()
    row = np.zeros((1, 30), np.float32)
    row[0, 0], row[0, 3] = 14.0, 600.0
    assert json.loads(predictor.invoke(body.encode(), "application/json", "")[0])["predictions"][0][
        "score"
    ] == pytest.approx(answers(predictor, row, write)[0], rel=1e-6)
    assert (
        predictor.invoke(write(others[:1]), "text/csv", "application/x-recordio-protobuf")[1]
        == "application/x-recordio-protobuf"
    )


@pytest.mark.parametrize(
    ("labels", "given", "sentence"),
    [
        ([0, 1, 2, 1], BINARY, "The label 2 in row 3 of channel 'train' does not fit predictor_type binary_classifier"),
        ([0, 1, 3, 1], MULTICLASS, "does not fit predictor_type multiclass_classifier with num_classes 3"),
        ([1, 1, 1, 1], BINARY, "All labels of channel 'train' are 1"),
        ([0, 1, 0, 1], BINARY | {"feature_dim": 4}, "feature_dim is 4"),
        ([0, 1, np.nan, 1], BINARY, "has no label"),
    ],
)
def test_refuses_data_that_cannot_be_learnt(train, write, labels, given, sentence):
    with pytest.raises(ClientError, match=sentence):
        train(LINEAR, {"train": write(labels, [1, 2, 3, 4])}, given)


def test_refuses_missing_values_and_labels(train, write):
    with pytest.raises(ClientError, match="missing values"):
        train(LINEAR, {"train": write([0, 1], [1, np.nan])}, BINARY)
    with pytest.raises(ClientError, match="no label column"):
        train(LINEAR, {"train": write([0, 1], [1, 2])}, BINARY, content_type="text/csv;label_size=0")
    with pytest.raises(ClientError, match="feature_dim is 1, and the rows of channel 'validation' have 2 features"):
        train(
            LINEAR, {"train": write([0, 1], [1, 2]), "validation": write([0, 1], [1, 2], [3, 4])}, BINARY, job="second"
        )
    predictor = train(LINEAR, {"train": write([0, 1], [1, 2])}, BINARY, job="third").load()
    with pytest.raises(ClientError, match="missing value"):
        predictor.invoke(b'{"instances": [{"features": [null]}]}', "application/json", "")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"predictor_type": "multiclass_classifier"}, "num_classes is required"),
        (REGRESSOR | {"loss": "logistic"}, "The loss logistic cannot be used with predictor_type regressor"),
    ],
)
def test_refuses_hyperparameters_that_do_not_go_together(given, sentence):
    with pytest.raises(ClientError, match=sentence):
        LINEAR.check(
            read_hyperparameters(LINEAR.hyperparameters, {key: str(value) for key, value in given.items()}), ["train"]
        )


def test_a_stopped_job_leaves_a_model(train, write, cancer):
    features, labels, others, _ = cancer
    job = train(LINEAR, {"train": write(labels, features)}, BINARY | {"optimizer": "adam"}, stopped=lambda: True)
    assert len(job.values("train:objective_loss")) == 1
    assert set(answers(job.load(), others, write, "predicted_label")) <= {0, 1}
