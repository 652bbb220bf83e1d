"""Predictors: created, described, listed and deleted, those of today and those of before AutoPredictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput, NotFound
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.describing import described, summaries
from headrace.server.operations.forecasting.explainability.starting import open_explainability
from headrace.server.operations.forecasting.groups import Group, read_group
from headrace.server.operations.forecasting.kinds import (
    EXPLAINABILITY,
    MONITOR,
    PREDICTOR,
)
from headrace.server.operations.forecasting.listing import PARENT, STATUS, Listed, page
from headrace.server.operations.forecasting.monitors.starting import open_monitor
from headrace.server.operations.forecasting.names import unique_identifier
from headrace.server.operations.forecasting.predictors.requests import (
    check_retraining,
    forecast_types,
    plan_auto,
    plan_legacy,
)
from headrace.server.operations.forecasting.roles import check_encryption
from headrace.server.resources import Stored
from headrace.server.stores.metadata.tables.resources import RESOURCES

Tags = Sequence[Mapping[str, str]]


def create_auto_predictor(context: Context, *, predictor_name: str, tags: Tags = (), **request: Any) -> dict[str, Any]:
    """Train a predictor, or train another anew on later data (AWS page: Amazon Forecast API, CreateAutoPredictor).

    Raises InvalidInput on what can't be done, AlreadyExists on a name that is taken, NotFound on a dataset group or
    reference predictor that is not there, InUse (ResourceInUse) on datasets at work.
    """
    _check_name(context, predictor_name)
    check_encryption(context, request.get("encryption_config"))
    given = {name: value for name, value in request.items() if value is not None}
    reference = None
    if given.get("reference_predictor_arn"):
        check_retraining(given)
        reference = finding.get_active(context, given["reference_predictor_arn"], PREDICTOR)
        group = read_group(context, reference.parent)
        plan = dict(reference.record["_plan"])
        if not reference.record["_auto"]:
            plan |= {"algorithms": None, "windows": None, "window_offset": None}
        kept = {name: value for name, value in _carried(reference).items() if value is not None}
    else:
        config = given.get("data_config")
        if not config:
            raise InvalidInput("A new predictor needs a DataConfig with the DatasetGroupArn; give it")
        group = read_group(context, config["dataset_group_arn"])
        plan = plan_auto(given, group.fields)
        kept = {
            "forecast_types": plan["types"],
            **{name: given[name] for name in _AUTO if name in given},
        }
    record = {
        **kept,
        "predictor_name": predictor_name,
        "_auto": True,
        "_reference": None if reference is None else reference.arn,
        "_plan": plan,
        "_explain": bool(given.get("explain_predictor")),
        "_monitor": (given.get("monitor_config") or {}).get("monitor_name"),
    }
    stored = _begin(context, predictor_name, record, group, unique_identifier(predictor_name, context.now), tags)
    if record["_explain"]:
        open_explainability(context, stored)
    if record["_monitor"]:
        open_monitor(context, record["_monitor"], stored)
    return {"predictor_arn": stored.arn}


def create_predictor(context: Context, *, predictor_name: str, tags: Tags = (), **request: Any) -> dict[str, Any]:
    """Train a predictor by one algorithm, or the best of all (AWS page: Amazon Forecast API, CreatePredictor)."""
    _check_name(context, predictor_name)
    check_encryption(context, request.get("encryption_config"))
    given = {name: value for name, value in request.items() if value is not None}
    group = read_group(context, given["input_data_config"]["dataset_group_arn"])
    plan = plan_legacy(given, group.fields)
    record = {
        **given,
        "predictor_name": predictor_name,
        "is_auto_predictor": False,
        "_auto": False,
        "forecast_types": plan["types"],
        "perform_auto_ml": bool(given.get("perform_auto_ml")),
        "perform_hpo": bool(given.get("perform_hpo")),
        "evaluation_parameters": {
            "number_of_backtest_windows": plan["windows"], "back_test_window_offset": plan["window_offset"],
        },
        "_plan": plan,
    }  # fmt: skip
    stored = _begin(context, predictor_name, record, group, predictor_name, tags)
    return {"predictor_arn": stored.arn}


def describe_auto_predictor(context: Context, *, predictor_arn: str) -> dict[str, Any]:
    """Return what is known of a predictor made by CreateAutoPredictor (AWS page: DescribeAutoPredictor)."""
    stored = finding.get(context, predictor_arn, PREDICTOR)
    if not stored.record["_auto"]:
        raise InvalidInput(f"{predictor_arn} was created by CreatePredictor; describe it with DescribePredictor")
    answer = described(context, stored, "predictor_arn")
    explained = resources.listing(context.connection, EXPLAINABILITY, context.place, parent=stored.arn, limit=1).items
    if explained:
        answer["explainability_info"] = {"explainability_arn": explained[0].arn, "status": explained[0].state}
    watched = resources.listing(context.connection, MONITOR, context.place, parent=stored.arn, limit=1).items
    if watched:
        answer["monitor_info"] = {"monitor_arn": watched[0].arn, "status": watched[0].state}
    if summary := _reference(context, stored):
        answer["reference_predictor_summary"] = summary
    return answer


def describe_predictor(context: Context, *, predictor_arn: str) -> dict[str, Any]:
    """Return what is known of a predictor made by CreatePredictor (AWS page: DescribePredictor)."""
    stored = finding.get(context, predictor_arn, PREDICTOR)
    if stored.record["_auto"]:
        raise InvalidInput(f"{predictor_arn} was created by CreateAutoPredictor; use DescribeAutoPredictor")
    answer = described(context, stored, "predictor_arn")
    executions = [
        {
            **each,
            "test_windows": [
                {name: moment(value) if name in _TIMES else value for name, value in window.items()}
                for window in each["test_windows"]
            ],
        }
        for each in stored.record.get("_executions", ())
    ]
    if executions:
        answer["predictor_execution_details"] = {"predictor_executions": executions}
    return answer


def list_predictors(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return summaries of predictors of both kinds (AWS page: Amazon Forecast API, ListPredictors)."""
    common = summaries(context, "predictor_arn", "predictor_name")

    def summary(stored: Stored) -> dict[str, Any]:
        return {
            **common(stored),
            "is_auto_predictor": stored.record["_auto"],
            "dataset_group_arn": stored.parent,
            "reference_predictor_summary": _reference(context, stored),
        }

    return page(
        context,
        PREDICTOR,
        "predictors",
        summary,
        **listed,
        by={"DatasetGroupArn": PARENT, **STATUS},
    )


def delete_predictor(context: Context, *, predictor_arn: str) -> None:
    """Delete a predictor (AWS page: Amazon Forecast API, DeletePredictor).

    Raises InUse (ResourceInUse) while it is trained, or has forecasts or exports.
    """
    states.remove(context, finding.get(context, predictor_arn, PREDICTOR))


_TIMES = ("test_window_start", "test_window_end")
_AUTO = (
    "forecast_horizon", "forecast_frequency", "forecast_dimensions", "data_config", "encryption_config",
    "optimization_metric", "time_alignment_boundary",
)  # fmt: skip


def _begin(context: Context, name: str, record: Mapping[str, Any], group: Group, identifier: str, tags: Tags) -> Stored:
    record = {**record, "dataset_import_job_arns": list(group.imports)}
    stored = states.create(context, PREDICTOR, name, record, identifier=identifier, parent=group.arn, tags=tags)
    states.start(context, stored)
    return stored


def _check_name(context: Context, name: str) -> None:
    """Raise AlreadyExists where a predictor of any dataset group has the name."""
    taken = resources.listing(
        context.connection, PREDICTOR, context.place, where=[RESOURCES.c.name == name], limit=1
    ).items
    if taken:
        raise AlreadyExists(f"A predictor already exists with the arn: {taken[0].arn}", status=400)


def _reference(context: Context, stored: Stored) -> dict[str, str] | None:
    arn = stored.record.get("_reference")
    if not arn:
        return None
    try:
        finding.get(context, arn, PREDICTOR)
    except NotFound:
        return {"arn": arn, "state": "Deleted"}
    return {"arn": arn, "state": "Active"}


def _carried(reference: Stored) -> dict[str, Any]:
    """Return the members of a predictor that one which retrains it takes over, in the words of auto predictors."""
    record = reference.record
    if record["_auto"]:
        return {name: record.get(name) for name in ("forecast_types", *_AUTO)}
    config = record["featurization_config"]
    attributes = [
        {"attribute_name": each["attribute_name"], "transformations": method["featurization_method_parameters"]}
        for each in config.get("featurizations") or ()
        for method in each.get("featurization_pipeline") or ()
        if method.get("featurization_method_parameters")
    ]
    added = [
        {"name": each["name"], "configuration": {"CountryCode": [each["value"]]}}
        for each in record["input_data_config"].get("supplementary_features") or ()
    ]
    data = {
        "dataset_group_arn": record["input_data_config"]["dataset_group_arn"],
        "attribute_configs": attributes or None,
        "additional_datasets": added or None,
    }
    return {
        "forecast_types": forecast_types(record["forecast_types"]),
        "forecast_horizon": record["forecast_horizon"],
        "forecast_frequency": config["forecast_frequency"],
        "forecast_dimensions": config.get("forecast_dimensions"),
        "data_config": {name: value for name, value in data.items() if value is not None},
        "encryption_config": record.get("encryption_config"),
        "optimization_metric": record.get("optimization_metric"),
    }
