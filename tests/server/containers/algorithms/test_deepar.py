"""DeepAR's image: JSON Lines in, a forecast with mean, quantiles and samples out."""

import gzip
import io
import json

import numpy as np
import polars
import pytest

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import ClientError, UnsupportedContentType

DEEPAR = ALGORITHMS["forecasting-deepar"]
GIVEN = {
    "time_freq": "D",
    "context_length": 7,
    "prediction_length": 3,
    "epochs": 8,
    "num_cells": 10,
    "num_layers": 1,
    "mini_batch_size": 32,
    "learning_rate": 0.02,
}
JSON = "application/json"


def series(count=4, length=60, **more):
    """Return weekly waves around 100, one after the other."""
    found = []
    for number in range(count):
        target = 100 + 40 * np.sin(2 * np.pi * (np.arange(length) + number) / 7)
        found.append({"start": "2024-01-01 00:00:00", "target": target.round(3).tolist()} | more)
    return found


def lines(documents):
    return "".join(json.dumps(each) + "\n" for each in documents).encode()


@pytest.fixture
def learn(train):
    def run(documents, given=(), channels=None, name="data.json", **options):
        found = {"train": {name: lines(documents) if isinstance(documents, list) else documents}}
        return train(DEEPAR, found | (channels or {}), GIVEN | dict(given), content_type="", **options)

    return run


def test_forecasts_better_than_the_mean_and_answers_what_is_asked_for(learn):
    rows = series()
    rows[0]["target"][5:7] = [None, "NaN"]
    job = learn(rows, {"epochs": 25}, {"test": {"all.json": lines(rows)}})
    truth = np.array([each["target"][-3:] for each in rows])
    assert job.values("test:RMSE")[0] < 0.5 * truth.std()
    assert 0 < job.values("test:mean_wQuantileLoss")[0] < 0.2
    assert len(job.values("train:loss")) == 25
    assert np.isfinite(job.values("train:final_loss")).all()
    assert sum("#test_score (algo-1, wQuantileLoss[" in line for line in job.lines) == 9
    predictor = job.load()
    asked = {"num_samples": 20, "output_types": ["mean", "quantiles", "samples"], "quantiles": ["0.1", "0.9"]}
    body = json.dumps({"instances": rows[:2], "configuration": asked}).encode()
    answer, kind = predictor.invoke(body, JSON, "")
    assert kind == JSON
    first, second = json.loads(answer)["predictions"]
    assert np.shape(first["samples"]) == (20, 3)
    assert list(first["quantiles"]) == ["0.1", "0.9"]
    np.testing.assert_allclose(first["mean"], np.mean(first["samples"], axis=0))
    assert (np.array(second["quantiles"]["0.1"]) <= second["quantiles"]["0.9"]).all()
    assert predictor.invoke(body, JSON, "")[0] == answer


def test_json_lines_are_answered_by_the_configuration_of_the_environment(learn):
    job = learn(series())
    wanted = json.dumps({"num_samples": 5, "output_types": ["mean"]})
    answer, kind = job.load(DEEPAR_INFERENCE_CONFIG=wanted).invoke(lines(series(2)), "application/jsonlines", "")
    assert kind == "application/jsonlines"
    assert [list(json.loads(line)) for line in answer.splitlines()] == [["mean"], ["mean"]]
    usual = json.loads(job.load().invoke(lines(series(1)), "application/jsonlines", "")[0])
    assert list(usual) == ["mean", "quantiles"]
    assert list(usual["quantiles"]) == [f"0.{tenth}" for tenth in range(1, 10)]
    with pytest.raises(ClientError, match="DEEPAR_INFERENCE_CONFIG is no JSON"):
        job.load(DEEPAR_INFERENCE_CONFIG="{")


def test_categories_and_features_must_fit_the_model(learn):
    rows = series(3, cat=[0, 1], dynamic_feat=[[float(day % 7 == 0) for day in range(60)]])
    rows[1]["cat"] = [2, 0]
    predictor = learn(rows, {"epochs": 1}).load()
    longer = rows[0] | {"dynamic_feat": [[0.0] * 63]}

    def ask(**changes):
        body = json.dumps({"instances": [longer | changes]}).encode()
        return json.loads(predictor.invoke(body, JSON, JSON)[0])["predictions"][0]

    assert len(ask()["mean"]) == 3
    for changes, sentence in [
        ({"dynamic_feat": rows[0]["dynamic_feat"]}, "has lists of 60 numbers, and must have 63"),
        ({"dynamic_feat": None}, "has 0 features, and the model takes 1"),
        ({"dynamic_feat": [[None] * 63]}, "has the value missing at place 1"),
        ({"cat": [0]}, "has 1 categories, and the model takes 2"),
        ({"cat": [3, 0]}, "has the category 3 at place 1, where the model knows 0 to 2"),
        ({"cat": ["a"]}, "must be a list of whole numbers"),
    ]:
        with pytest.raises(ClientError, match=sentence):
            ask(**changes)
    ignored = learn(rows, {"epochs": 1, "cardinality": "ignore", "num_dynamic_feat": "ignore"}, job="plain").load()
    assert ignored.network.settings.cardinality == ()


@pytest.mark.parametrize("likelihood", ["gaussian", "negative-binomial", "beta", "deterministic-L1"])
def test_every_likelihood_answers_values_of_its_own_kind(learn, likelihood):
    rows = series(3)
    if likelihood == "beta":
        rows = [each | {"target": [value / 200 for value in each["target"]]} for each in rows]
    predictor = learn(rows, {"likelihood": likelihood, "epochs": 2}).load()
    asked = {"num_samples": 10, "output_types": ["samples"]}
    body = json.dumps({"instances": rows[:1], "configuration": asked}).encode()
    drawn = np.array(json.loads(predictor.invoke(body, JSON, "")[0])["predictions"][0]["samples"])
    if likelihood == "negative-binomial":
        np.testing.assert_allclose(drawn, drawn.round(), atol=1e-3)
    if likelihood == "beta":
        assert ((drawn >= 0) & (drawn <= 1)).all()
    if likelihood == "deterministic-L1":
        assert (drawn == drawn[0]).all()


def test_files_are_told_by_their_names_or_the_content_type(learn, train):
    rows = series(2)
    learn(gzip.compress(lines(rows)), {"epochs": 1}, name="a.json.gz", job="gz")
    buffer = io.BytesIO()
    polars.DataFrame(rows).write_parquet(buffer)
    learn(buffer.getvalue(), {"epochs": 1}, name="a.parquet", job="parquet")
    train(DEEPAR, {"train": {"part": lines(rows)}}, GIVEN | {"epochs": 1}, content_type="json", job="declared")
    with pytest.raises(ClientError, match="format of file 'part' is not known"):
        learn(lines(rows), name="part", job="unknown")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"start": "2024-01-01T00:00:00+02:00"}, "a time zone is not allowed"),
        ({"start": "2024-13-01 00:00:00"}, "no time as YYYY-MM-DD"),
        ({"start": None}, 'has no "start"'),
        ({"target": [1, "x"]}, "has the value 'x' at place 2"),
        ({"target": "12"}, "must be a list of numbers"),
        ({"target": [1e300]}, "no finite number"),
        ({"cat": [0]}, "all must have as many"),
        ({"dynamic_feat": [[1.0], [1.0, 2.0]]}, "lists of different lengths"),
    ],
)
def test_a_bad_time_series_is_named(learn, change, sentence):
    rows = series(3)
    rows[1] |= change
    with pytest.raises(ClientError, match=sentence) as error:
        learn(rows)
    assert "line 2 of file 'data.json'" in str(error.value) or "time series 2 of channel 'train'" in str(error.value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"time_freq": "S"}, "M, W, D, H or min"),
        ({"likelihood": "poisson"}, "student-T, gaussian"),
        ({"dropout_rate": 1}, "below 1"),
        ({"cardinality": "[0]"}, "at least 1, auto or ignore"),
        ({"prediction_length": 0}, "from 1"),
        ({"cardinality": "[4, 2]"}, "has 0 categories, and the model takes 2"),
        ({"num_dynamic_feat": 2}, "has 0 features, and the model takes 2"),
        ({"likelihood": "beta"}, "takes values from 0 to 1"),
    ],
)
def test_hyperparameters_out_of_range_are_refused(learn, given, sentence):
    with pytest.raises(ClientError, match=sentence):
        learn(series(2), given)


def test_a_test_series_must_be_longer_than_the_forecast(learn):
    with pytest.raises(ClientError, match="time series 1 of channel 'test' has 3 values"):
        learn(series(2), {}, {"test": {"a.json": lines(series(1, 3))}})
    with pytest.raises(ClientError, match="no time series with two values"):
        learn(series(2, 1))
    with pytest.raises(ClientError, match=r"line 1 of file 'data\.json'"):
        learn(b"{nothing")


def test_bad_requests_are_told_what_to_mend(learn):
    predictor = learn(series(2), {"epochs": 1}).load()
    for body, sentence in [
        (b"", "Unable to parse"),
        (b"[]", 'needs a list of "instances"'),
        (b'{"instances": []}', 'needs a list of "instances"'),
        (b'{"instances": [3]}', "instance 1 is no JSON object"),
        (json.dumps({"instances": series(1), "configuration": {"num_samples": 0}}).encode(), "from 1 to 10,000"),
        (json.dumps({"instances": series(1), "configuration": {"output_types": ["median"]}}).encode(), "output_types"),
        (json.dumps({"instances": series(1), "configuration": {"quantiles": ["1.5"]}}).encode(), "from 0 to 1, such"),
        (json.dumps({"instances": series(1), "configuration": {"samples": 1}}).encode(), "unknown field 'samples'"),
    ]:
        with pytest.raises(ClientError, match=sentence):
            predictor.invoke(body, JSON, "")
    with pytest.raises(UnsupportedContentType):
        predictor.invoke(b"1,2", "text/csv", "")


def test_stopping_keeps_what_was_learnt(learn):
    job = learn(series(2), {"epochs": 500}, stopped=lambda: True)
    assert job.load().network.settings.horizon == 3
