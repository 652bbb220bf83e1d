"""Hyperparameters: defaults, aliases, and one sentence about all that is wrong."""

import pytest

from headrace.server.containers.contract import ClientError
from headrace.server.containers.hyperparameters import Parameter, read_hyperparameters


def whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be a whole number") from None


DECLARED = {
    "k": Parameter(whole, "neighbours", required=True),
    "feature_dim": Parameter(whole, "features", required=True),
    "eta": Parameter(float, "step", default=0.3, aliases=("learning_rate",)),
    "index_type": Parameter(str, "index"),
}
GIVEN = {"k": "3", "feature_dim": "8"}


def test_every_declared_hyperparameter_has_a_value() -> None:
    assert read_hyperparameters(DECLARED, GIVEN) == {"k": 3, "feature_dim": 8, "eta": 0.3, "index_type": None}


def test_an_alias_means_the_hyperparameter() -> None:
    assert read_hyperparameters(DECLARED, GIVEN | {"learning_rate": "0.5"})["eta"] == 0.5


def test_what_clients_and_tuning_jobs_add_is_left_out() -> None:
    added = {"_tuning_objective_metric": "test:accuracy", "sagemaker_region": '"us-east-1"'}
    assert read_hyperparameters(DECLARED, GIVEN | added) == read_hyperparameters(DECLARED, GIVEN)


@pytest.mark.parametrize(
    ("text", "value"), [('"Flat"', "Flat"), ('"a\\"b"', 'a"b'), ('"', '"'), ('"\\x"', '"\\x"'), ("", "")]
)
def test_a_text_may_be_a_json_text(text: str, value: str) -> None:
    assert read_hyperparameters(DECLARED, GIVEN | {"index_type": text})["index_type"] == value


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "No value(s) were specified for 'k', 'feature_dim' which are required hyperparameter(s)"),
        (GIVEN | {"etta": "1"}, "Extraneous hyperparameter found: etta (did you mean eta?)"),
        (GIVEN | {"zzz": "1"}, "Extraneous hyperparameter found: zzz"),
        (GIVEN | {"k": "many"}, "Hyperparameter k: 'many' must be a whole number"),
        (GIVEN | {"k": "x" * 500}, f"Hyperparameter k: '{'x' * 100}...' must be a whole number"),
        (
            GIVEN | {"eta": "1", "learning_rate": "1"},
            "Hyperparameters eta and learning_rate are the same one; give it once",
        ),
        (
            {"k": "many", "zzz": "1"},
            "Hyperparameter k: 'many' must be a whole number; Extraneous hyperparameter found: zzz; "
            "No value(s) were specified for 'feature_dim' which are required hyperparameter(s)",
        ),
    ],
)
def test_all_that_is_wrong_is_one_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(ClientError) as caught:
        read_hyperparameters(DECLARED, given)
    assert str(caught.value) == sentence
