"""Explainabilities: created, described, listed and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Unpack

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.describing import describe, summaries
from headrace.server.operations.forecasting.explainability.starting import ALL, SPECIFIC, open_explainability
from headrace.server.operations.forecasting.kinds import EXPLAINABILITY, FORECAST, PREDICTOR
from headrace.server.operations.forecasting.listing import PARENT, STATUS, Listed, page
from headrace.server.operations.forecasting.roles import check_place
from headrace.server.resources import Stored
from headrace.server.stores.metadata.tables.resources import RESOURCES

Members = Mapping[str, Any]


def create_explainability(
    context: Context,
    *,
    explainability_name: str,
    resource_arn: str,
    explainability_config: Members,
    tags: Sequence[Mapping[str, str]] = (),
    **request: Any,
) -> dict[str, Any]:
    """Reckon how much attributes move forecasts (AWS page: Amazon Forecast API, CreateExplainability).

    Raises InvalidInput on a predictor without attributes, or points or series that go with ALL; AlreadyExists on a
    second one of a predictor.
    """
    owner = finding.get_active(context, resource_arn, PREDICTOR, FORECAST)
    predictor = owner if owner.kind == PREDICTOR.kind else finding.get(context, owner.parent, PREDICTOR)
    if not predictor.record["_auto"]:
        raise InvalidInput("Explainability is only for predictors of CreateAutoPredictor; retrain this one as such")
    _check_attributes(predictor)
    given = {name: value for name, value in request.items() if value is not None}
    _check_scope(context, owner, explainability_config, given)
    taken = resources.listing(
        context.connection,
        EXPLAINABILITY,
        context.place,
        where=[RESOURCES.c.name == explainability_name],
        limit=1,
    ).items
    if owner.kind == PREDICTOR.kind:
        taken += resources.listing(context.connection, EXPLAINABILITY, context.place, parent=owner.arn, limit=1).items
    if taken:
        raise AlreadyExists(f"An explainability already exists with the arn: {taken[0].arn}", status=400)
    record = {**given, "explainability_config": explainability_config}
    stored = open_explainability(context, owner, name=explainability_name, record=record, tags=tags)
    states.start(context, stored)
    return {"explainability_arn": stored.arn}


def describe_explainability(context: Context, *, explainability_arn: str) -> dict[str, Any]:
    """Return what is known of an explainability (AWS page: Amazon Forecast API, DescribeExplainability)."""
    return describe(context, explainability_arn, EXPLAINABILITY, "explainability_arn")


def list_explainabilities(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return summaries of explainabilities (AWS page: Amazon Forecast API, ListExplainabilities)."""
    return page(
        context,
        EXPLAINABILITY,
        "explainabilities",
        summaries(context, "explainability_arn", "explainability_name", "resource_arn", "explainability_config"),
        **listed,
        by={"ResourceArn": PARENT, **STATUS},
    )


def delete_explainability(context: Context, *, explainability_arn: str) -> None:
    """Delete an explainability (AWS page: DeleteExplainability); raises InUse while it is made, or has exports."""
    states.remove(context, finding.get(context, explainability_arn, EXPLAINABILITY))


def _check_attributes(predictor: Stored) -> None:
    if not predictor.record.get("_attributes"):
        raise InvalidInput(
            "There is nothing to explain: the predictor has no related time series, item metadata or holidays; add one"
        )


def _check_scope(context: Context, owner: Stored, config: Members, given: Members) -> None:
    series, points = config["time_series_granularity"], config["time_point_granularity"]
    if owner.kind == PREDICTOR.kind and (series, points) != (ALL, ALL):
        raise InvalidInput("Of a predictor, both granularities must be ALL; give a forecast to explain parts of it")
    if (series == SPECIFIC) != bool(given.get("data_source")):
        raise InvalidInput("DataSource names the time series when TimeSeriesGranularity is SPECIFIC, and only then")
    if series == SPECIFIC and not given.get("schema"):
        raise InvalidInput("The file of time series needs a Schema; give the attributes of its columns")
    if bool(given.get("schema")) and series != SPECIFIC:
        raise InvalidInput("Schema is only for a DataSource; leave it out")
    moments = [given.get("start_date_time"), given.get("end_date_time")]
    if (points == SPECIFIC) != all(moments) or (points != SPECIFIC and any(moments)):
        raise InvalidInput(
            "StartDateTime and EndDateTime are given when TimePointGranularity is SPECIFIC, and only then"
        )
    if points == SPECIFIC:
        start, end = (_moment(str(each)) for each in moments)
        if start > end:
            raise InvalidInput("StartDateTime is after EndDateTime; exchange them")
    if given.get("data_source"):
        check_place(context, given["data_source"])


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        raise InvalidInput(f"{text!r} is no date; write it as 2015-01-01T20:00:00") from None
