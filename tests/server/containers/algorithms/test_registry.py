"""What every built-in image declares."""

import re

import pytest

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import BuiltIn, ClientError
from headrace.server.containers.hyperparameters import read_hyperparameters
from headrace.server.containers.images import BUILT_IN

EVERY = pytest.mark.parametrize("image", ALGORITHMS.values(), ids=ALGORITHMS)


def test_images_are_found_by_the_names_of_aws():
    images = {BUILT_IN.get(repository) for image in ALGORITHMS.values() for repository in image.repositories}
    tabular = {"xgboost", "linear-learner", "knn", "kmeans", "pca", "randomcutforest"}
    assert images - {None} == tabular | {"forecasting-deepar", "headrace"}
    assert {"lightgbm", "catboost", "lightgbm-regression", "catboost-classification"} <= ALGORITHMS.keys()


@EVERY
def test_declares_itself_whole(image: BuiltIn):
    assert image.name
    assert image.title
    assert image.channels or image.name == "headrace"
    for parameter in image.hyperparameters.values():
        assert parameter.meaning
        assert not (parameter.required and parameter.default is not None)
    for metric in image.metrics:
        assert re.compile(metric.pattern).groups == 1


@EVERY
def test_defaults_are_values_that_may_be_given(image: BuiltIn):
    for name, parameter in image.hyperparameters.items():
        if parameter.default is None:
            continue
        default = parameter.default
        text = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        assert parameter.read(text) == default, name


@EVERY
def test_recommended_ranges_are_values_that_may_be_given(image: BuiltIn):
    for name, parameter in image.hyperparameters.items():
        if parameter.tunable is None:
            continue
        kind, low, *high = parameter.tunable
        for value in low if kind == "categorical" else (low, high[0]):
            assert parameter.read(str(value)) is not None, name


@EVERY
def test_refuses_an_archive_that_is_empty(image: BuiltIn, tmp_path):
    with pytest.raises(ClientError, match="archive"):
        image.load(tmp_path)


@EVERY
def test_unknown_hyperparameters_are_refused(image: BuiltIn):
    with pytest.raises(ClientError, match="Extraneous hyperparameter found: nonsense"):
        read_hyperparameters(image.hyperparameters, {"nonsense": "1"})


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("kmeans", {"k": "3", "force_dense": "True"}),
        ("pca", {"num_components": "2", "force_dense": "True", "epochs": "1"}),
        ("randomcutforest", {"num_trees": "50", "force_dense": "true"}),
    ],
)
def test_what_the_clients_of_aws_send_by_themselves_is_accepted(name, sent):
    values = read_hyperparameters(ALGORITHMS[name].hyperparameters, sent | {"feature_dim": "4", "mini_batch_size": "9"})
    assert values["force_dense"] is True
    assert values["mini_batch_size"] == 9
