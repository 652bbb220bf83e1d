"""What a request for a predictor may ask, and what it means to the library: its plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.errors import InvalidInput
from headrace.server.operations.forecasting.frequencies import parse_frequency
from headrace.server.operations.forecasting.groups import Fields
from headrace.server.operations.forecasting.predictors.algorithms import ALGORITHMS, QUICK, TUNED, algorithm_named
from headrace.server.operations.forecasting.predictors.filling import filling_rules
from headrace.server.operations.forecasting.predictors.holidays import country

Members = Mapping[str, Any]
DEFAULT_TYPES = ("0.1", "0.5", "0.9")
MOST_TYPES = 5
MOST_HORIZON, MOST_WINDOWS = 500, 5
METRICS = {"AverageWeightedQuantileLoss": "wQL", "WAPE": "WAPE", "RMSE": "RMSE", "MAPE": "MAPE", "MASE": "MASE"}
_CHOSEN = {
    "algorithm_arn": "AlgorithmArn", "hpo_config": "HPOConfig", "training_parameters": "TrainingParameters",
}  # fmt: skip
RETRAINED = frozenset({"predictor_name", "reference_predictor_arn", "explain_predictor", "monitor_config", "tags"})
"""What a request that retrains or upgrades a predictor may say."""


def plan_auto(request: Members, fields: Fields) -> dict[str, Any]:
    """Return the plan of a CreateAutoPredictor that makes a new predictor; raises InvalidInput."""
    for name, title in (("forecast_horizon", "ForecastHorizon"), ("forecast_frequency", "ForecastFrequency")):
        if request.get(name) is None:
            raise InvalidInput(f"A new predictor needs {title}, and it is missing; give it")
    config = request["data_config"]
    given = [(each["attribute_name"], each["transformations"]) for each in config.get("attribute_configs") or ()]
    added = [
        (each["name"], (each.get("configuration") or {}).get("CountryCode") or [])
        for each in config.get("additional_datasets") or ()
    ]
    return {
        "horizon": _horizon(request["forecast_horizon"]),
        "frequency": str(parse_frequency(request["forecast_frequency"], "ForecastFrequency")),
        "types": forecast_types(request.get("forecast_types")),
        "dimensions": _dimensions(request.get("forecast_dimensions"), fields),
        "filling": filling_rules(given, fields.target, fields.related),
        "holidays": country(added),
        "optimise": METRICS[request.get("optimization_metric") or "AverageWeightedQuantileLoss"],
        "boundary": _boundary(request.get("time_alignment_boundary")),
        "algorithms": None,
        "windows": None,
        "window_offset": None,
    }


def plan_legacy(request: Members, fields: Fields) -> dict[str, Any]:
    """Return the plan of a CreatePredictor; raises InvalidInput."""
    config = request["featurization_config"]
    given = [
        (each["attribute_name"], method.get("featurization_method_parameters") or {})
        for each in config.get("featurizations") or ()
        for method in each.get("featurization_pipeline") or ()
    ]
    added = [
        (each["name"], [each["value"]]) for each in request["input_data_config"].get("supplementary_features") or ()
    ]
    horizon = _horizon(request["forecast_horizon"])
    windows, offset = _evaluation(request.get("evaluation_parameters") or {}, horizon)
    return {
        "horizon": horizon,
        "frequency": str(parse_frequency(config["forecast_frequency"], "ForecastFrequency")),
        "types": forecast_types(request.get("forecast_types")),
        "dimensions": _dimensions(config.get("forecast_dimensions"), fields),
        "filling": filling_rules(given, fields.target, fields.related),
        "holidays": country(added),
        "optimise": METRICS[request.get("optimization_metric") or "AverageWeightedQuantileLoss"],
        "boundary": None,
        "algorithms": _algorithms(request),
        "windows": windows,
        "window_offset": offset,
    }


def check_retraining(request: Members) -> None:
    """Raise InvalidInput where a request with a ReferencePredictorArn sets what is taken from that predictor."""
    further = sorted(name for name, value in request.items() if value is not None and name not in RETRAINED)
    if further:
        title = "".join(part.capitalize() for part in further[0].split("_"))
        raise InvalidInput(
            f"A predictor that retrains another takes its settings; leave {title} out beside ReferencePredictorArn"
        )


def forecast_types(given: Sequence[str] | None, default: Sequence[str] = DEFAULT_TYPES) -> list[str]:
    """Return the forecast types in the order asked for; raises InvalidInput on more than five, or one twice."""
    types = list(given or default)
    if len(types) > MOST_TYPES:
        raise InvalidInput(f"ForecastTypes has {len(types)} values; at most {MOST_TYPES} are allowed")
    levels = [each if each == "mean" else f"{float(each):.2f}" for each in types]
    if "0.00" in levels:
        raise InvalidInput(f"The forecast type {types[levels.index('0.00')]} is no quantile; use 0.01 to 0.99 or mean")
    if len(set(levels)) < len(levels):
        raise InvalidInput(f"ForecastTypes {', '.join(types)} has one of them twice; name each once")
    return types


def quantiles_of(types: Sequence[str]) -> tuple[float, ...]:
    """Return the quantiles among forecast types in ascending order, the median where there is none.

    >>> quantiles_of(["0.9", "mean", ".1"]), quantiles_of(["mean"])
    ((0.1, 0.9), (0.5,))
    """
    return tuple(sorted(round(float(each), 2) for each in types if each != "mean")) or (0.5,)


def _horizon(value: int) -> int:
    if not 1 <= value <= MOST_HORIZON:
        raise InvalidInput(f"The ForecastHorizon of {value} is out of range; use 1 to {MOST_HORIZON}")
    return value


def _dimensions(given: Sequence[str] | None, fields: Fields) -> list[str]:
    dimensions = list(given or ())
    unknown = next((name for name in dimensions if name not in fields.dimensions), None)
    if unknown is not None:
        known = ", ".join(fields.dimensions) or "none"
        raise InvalidInput(
            f"The forecast dimension '{unknown}' is no dimension of the target time series; it has {known}"
        )
    missing = next((name for name in fields.related_dimensions if name not in dimensions), None)
    if missing is not None:
        raise InvalidInput(
            f"The related time series has the dimension '{missing}', so ForecastDimensions must have it too; add it"
        )
    return dimensions


def _evaluation(given: Members, horizon: int) -> tuple[int, int]:
    windows = given.get("number_of_backtest_windows") or 1
    offset = given.get("back_test_window_offset") or horizon
    if not 1 <= windows <= MOST_WINDOWS:
        raise InvalidInput(f"NumberOfBacktestWindows is {windows}; use 1 to {MOST_WINDOWS}")
    if offset < horizon:
        raise InvalidInput(
            f"BackTestWindowOffset {offset} is less than the ForecastHorizon {horizon}; use at least that"
        )
    return windows, offset


def _algorithms(request: Members) -> list[str]:
    automatic, searched = bool(request.get("perform_auto_ml")), bool(request.get("perform_hpo"))
    strategy = request.get("auto_ml_override_strategy")
    if automatic:
        for name, title in _CHOSEN.items():
            if request.get(name):
                raise InvalidInput(f"PerformAutoML chooses by itself and {title} is given; leave one of them out")
        if searched:
            raise InvalidInput("PerformAutoML and PerformHPO can't both be true; choose one of them")
        return [ALGORITHMS[name] for name in (QUICK if strategy == "LatencyOptimized" else ALGORITHMS)]
    if strategy:
        raise InvalidInput("AutoMLOverrideStrategy is only for predictors with PerformAutoML; leave it out")
    if not request.get("algorithm_arn"):
        raise InvalidInput("Neither AlgorithmArn nor PerformAutoML is given; name an algorithm or set PerformAutoML")
    name = algorithm_named(request["algorithm_arn"])
    if searched and name not in TUNED:
        raise InvalidInput(f"PerformHPO is not supported by {name}; it is by {' and '.join(sorted(TUNED))}")
    if request.get("hpo_config") and not searched:
        raise InvalidInput("HPOConfig is given and PerformHPO is not true; set it, or leave HPOConfig out")
    return [ALGORITHMS[name]]


def _boundary(given: Members | None) -> dict[str, Any] | None:
    if not given:
        return None
    kept = {name: value for name, value in given.items() if value is not None}
    if {"day_of_week"} < set(kept) - {"hour"} or ("month" in kept and "day_of_month" not in kept):
        raise InvalidInput("TimeAlignmentBoundary takes DayOfWeek, or DayOfMonth (with Month for years), or Hour")
    return kept
