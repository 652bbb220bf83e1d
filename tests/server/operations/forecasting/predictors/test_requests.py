"""What requests for predictors mean to the library, and what they may not ask."""

from typing import Any

import pytest

from headrace.server.errors import InvalidInput
from headrace.server.operations.forecasting.groups import Fields
from headrace.server.operations.forecasting.predictors.filling import DEFAULTS
from headrace.server.operations.forecasting.predictors.requests import (
    check_retraining,
    forecast_types,
    plan_auto,
    plan_legacy,
)

FIELDS = Fields("demand", ("store",), ("price",), ("store",))
ARN = "arn:aws:forecast:::algorithm/"


def auto(**changes: Any) -> dict[str, Any]:
    given = {
        "forecast_horizon": 14, "forecast_frequency": "D", "forecast_dimensions": ["store"], "data_config": {},
    }  # fmt: skip
    return plan_auto({**given, **changes}, FIELDS)


def legacy(**changes: Any) -> dict[str, Any]:
    given = {
        "forecast_horizon": 14, "algorithm_arn": f"{ARN}ETS", "input_data_config": {},
        "featurization_config": {"forecast_frequency": "D", "forecast_dimensions": ["store"]},
    }  # fmt: skip
    given = {**given, **changes}
    return plan_legacy({name: value for name, value in given.items() if value is not None}, FIELDS)


def rules(name: str = "demand", **transformations: str) -> dict[str, Any]:
    return {"attribute_configs": [{"attribute_name": name, "transformations": transformations}]}


def test_plans_of_auto_predictors() -> None:
    plain = auto()
    assert plain["types"] == ["0.1", "0.5", "0.9"]
    assert plain["filling"] == {"demand": DEFAULTS}
    assert (plain["optimise"], plain["algorithms"], plain["holidays"]) == ("wQL", None, None)
    config = {**rules(middlefill="value", middlefill_value="2"), "additional_datasets": [
        {"name": "holiday", "configuration": {"CountryCode": ["UK"]}}
    ]}  # fmt: skip
    more = auto(data_config=config, optimization_metric="RMSE", forecast_types=["mean", "0.25"])
    assert more["filling"]["demand"] == {**DEFAULTS, "middlefill": "value", "middlefill_value": "2"}
    assert (more["holidays"], more["optimise"], more["types"]) == ("GB", "RMSE", ["mean", "0.25"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"forecast_horizon": None}, "needs ForecastHorizon"),
        ({"forecast_horizon": 0}, "ForecastHorizon of 0 is out of range"),
        ({"forecast_horizon": 501}, "ForecastHorizon of 501 is out of range"),
        ({"forecast_frequency": "60min"}, "ForecastFrequency"),
        ({"forecast_dimensions": []}, "has the dimension 'store', so ForecastDimensions must have it"),
        ({"forecast_dimensions": ["store", "town"]}, "'town' is no dimension of the target"),
        ({"data_config": rules("price", aggregation="sum")}, "unknown parameter 'aggregation'"),
        ({"data_config": rules("colour", middlefill="zero")}, "'colour' is neither the target nor numeric"),
        ({"data_config": rules(frontfill="zero")}, "frontfill of the attribute 'demand' can't be 'zero'"),
        ({"data_config": rules(middlefill="value")}, "add middlefill_value"),
        (
            {"data_config": rules(middlefill="value", middlefill_value="x")},
            "'x' of the attribute 'demand' is no number",
        ),
        ({"data_config": rules(middlefill="zero", middlefill_value="1")}, "no middlefill of 'value'"),
        ({"data_config": {"attribute_configs": rules()["attribute_configs"] * 2}}, "configured twice"),
        ({"data_config": {"additional_datasets": [{"name": "weather"}]}}, "weather index is data of AWS"),
        ({"data_config": {"additional_datasets": [{"name": "moon"}]}}, "'moon' is unknown"),
        (
            {"data_config": {"additional_datasets": [{"name": "holiday", "configuration": {"CountryCode": ["XX"]}}]}},
            "no holidays for the country 'XX'",
        ),
        ({"time_alignment_boundary": {"month": "MAY"}}, "TimeAlignmentBoundary"),
    ],
)
def test_what_auto_predictors_may_not_ask(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        auto(**changes)


def test_plans_of_legacy_predictors() -> None:
    assert legacy()["algorithms"] == ["ets"]
    assert legacy(algorithm_arn=f"{ARN}Prophet")["algorithms"] == ["additive"]
    assert legacy(algorithm_arn=f"{ARN}CNN-QR", perform_hpo=True)["algorithms"] == ["cnn_qr"]
    assert len(legacy(algorithm_arn=None, perform_auto_ml=True)["algorithms"]) == 6
    quick = legacy(algorithm_arn=None, perform_auto_ml=True, auto_ml_override_strategy="LatencyOptimized")
    assert quick["algorithms"] == ["arima", "ets", "npts", "additive"]
    evaluated = legacy(evaluation_parameters={"number_of_backtest_windows": 3, "back_test_window_offset": 20})
    assert (evaluated["windows"], evaluated["window_offset"]) == (3, 20)
    assert (legacy()["windows"], legacy()["window_offset"]) == (1, 14)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"algorithm_arn": None}, "Neither AlgorithmArn nor PerformAutoML"),
        ({"algorithm_arn": f"{ARN}Magic"}, "Magic is not supported; use one of arn:aws:forecast:::algorithm/ARIMA"),
        ({"perform_auto_ml": True}, "AlgorithmArn is given"),
        ({"algorithm_arn": None, "perform_auto_ml": True, "perform_hpo": True}, "can't both be true"),
        ({"algorithm_arn": None, "perform_auto_ml": True, "training_parameters": {"a": "b"}}, "TrainingParameters is"),
        ({"perform_hpo": True}, "PerformHPO is not supported by ETS; it is by CNN-QR and Deep_AR_Plus"),
        ({"hpo_config": {"parameter_ranges": {}}}, "PerformHPO is not true"),
        ({"auto_ml_override_strategy": "LatencyOptimized"}, "only for predictors with PerformAutoML"),
        ({"evaluation_parameters": {"number_of_backtest_windows": 6}}, "NumberOfBacktestWindows is 6; use 1 to 5"),
        ({"evaluation_parameters": {"back_test_window_offset": 7}}, "7 is less than the ForecastHorizon 14"),
        ({"input_data_config": {"supplementary_features": [{"name": "weather", "value": "true"}]}}, "weather index"),
    ],
)
def test_what_legacy_predictors_may_not_ask(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        legacy(**changes)


@pytest.mark.parametrize(
    ("types", "sentence"),
    [
        (["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"], "has 6 values; at most 5"),
        ([".5", "0.50"], "has one of them twice"),
        (["0.00"], "0.00 is no quantile"),
    ],
)
def test_forecast_types_that_are_none(types: list[str], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        forecast_types(types)


def test_retraining_takes_over_all_settings() -> None:
    check_retraining({"reference_predictor_arn": "x", "explain_predictor": True, "forecast_horizon": None})
    with pytest.raises(InvalidInput, match="leave ForecastHorizon out beside ReferencePredictorArn"):
        check_retraining({"reference_predictor_arn": "x", "forecast_horizon": 3})
