"""Definitions of data quality jobs: created, described, listed, deleted; and what a schedule's job is by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput, NotFound
from headrace.server.operations.monitoring.checks import check_definition
from headrace.server.resources import Resource, Stored, member

DATA_QUALITY = Resource(
    "sagemaker/data-quality-job-definition",
    "data quality job definition",
    "arn:{partition}:sagemaker:{region}:{account}:data-quality-job-definition/{lowered}",
)
"""What a data quality job does; its record holds what DescribeDataQualityJobDefinition answers, and

`lowered`, its name in lower case, and `endpoint_name`.
"""

INNER = ("lowered", "endpoint_name")
TYPE = "DataQuality"
PAGE = 10


def create_data_quality_job_definition(
    context: Context, *, job_definition_name: str, tags: Sequence[Mapping[str, str]] = (), **request: Any
) -> dict[str, Any]:
    """Keep what a data quality job does. AWS page: CreateDataQualityJobDefinition.

    Raises InvalidInput on what can't be monitored, AlreadyExists (ResourceInUse) on a name that is taken.
    """
    given = {name: value for name, value in request.items() if value is not None}
    check_definition(context, _as_job(given))
    endpoint = endpoint_of(_as_job(given)) or ""
    record = {**given, "lowered": job_definition_name.lower(), "endpoint_name": endpoint}
    named = {each["key"]: each["value"] for each in tags}
    try:
        stored = resources.create(
            context.connection, DATA_QUALITY, context.place, job_definition_name, record, now=context.now, tags=named
        )
    except AlreadyExists:
        arn = DATA_QUALITY.arn_of(context.place, job_definition_name, record)
        raise AlreadyExists(f"Job definition {arn} exists already; choose another name") from None
    return {"job_definition_arn": stored.arn}


def describe_data_quality_job_definition(context: Context, *, job_definition_name: str) -> dict[str, Any]:
    """Return what CreateDataQualityJobDefinition was given. AWS page: DescribeDataQualityJobDefinition."""
    stored = _named(context, job_definition_name)
    return {
        **{name: value for name, value in stored.record.items() if name not in INNER},
        "job_definition_arn": stored.arn,
        "job_definition_name": stored.name,
        "creation_time": moment(stored.created),
    }


def list_data_quality_job_definitions(
    context: Context, *, endpoint_name: str | None = None, next_token: str | None = None, **asked: Any
) -> dict[str, Any]:
    """Return definitions of data quality jobs, the newest first. AWS page: ListDataQualityJobDefinitions."""
    page = resources.search(
        context.connection,
        DATA_QUALITY,
        context.place,
        asked,
        where=[member("endpoint_name") == endpoint_name] if endpoint_name else [],
        position=context.position(next_token, of="list_data_quality_job_definitions"),
        sort_order="Descending",
        limit=PAGE,
    )
    return {
        "job_definition_summaries": [
            {
                "monitoring_job_definition_name": each.name,
                "monitoring_job_definition_arn": each.arn,
                "creation_time": moment(each.created),
                "endpoint_name": each.record["endpoint_name"],
            }
            for each in page.items
        ],
        "next_token": context.token(page.position, of="list_data_quality_job_definitions"),
    }


def delete_data_quality_job_definition(context: Context, *, job_definition_name: str) -> None:
    """Forget a definition. AWS page: DeleteDataQualityJobDefinition."""
    resources.remove(context.connection, _named(context, job_definition_name), DATA_QUALITY)


def job_of(context: Context, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the MonitoringJobDefinition of a schedule's configuration, be it inline or named; raises InvalidInput."""
    inline, name = config.get("monitoring_job_definition"), config.get("monitoring_job_definition_name")
    if bool(inline) == bool(name):
        raise InvalidInput(
            "MonitoringScheduleConfig needs one of MonitoringJobDefinition and MonitoringJobDefinitionName.",
            code="ValidationException",
        )
    if config.get("monitoring_type", TYPE) != TYPE:
        raise InvalidInput(
            f"The MonitoringType {config['monitoring_type']} is not built here; {TYPE} is.", code="ValidationException"
        )
    if inline:
        return dict(inline)
    stored = resources.find(context.connection, DATA_QUALITY, context.place, str(name))
    if stored is None:
        raise InvalidInput(f"Could not find the data quality job definition {name!r}.", code="ValidationException")
    return _as_job(stored.record)


def endpoint_of(job: Mapping[str, Any]) -> str | None:
    """Return the name of the endpoint that a MonitoringJobDefinition looks at, None where it looks at none."""
    given = job["monitoring_inputs"][0].get("endpoint_input")
    return str(given["endpoint_name"]) if given else None


def _as_job(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a data quality job definition as a MonitoringJobDefinition."""
    specification = dict(given["data_quality_app_specification"])
    environment = specification.pop("environment", None)
    kept = ("role_arn", "network_config", "stopping_condition")
    return {
        **{name: given[name] for name in kept if name in given},
        "baseline_config": given.get("data_quality_baseline_config"),
        "monitoring_inputs": [given["data_quality_job_input"]],
        "monitoring_output_config": given["data_quality_job_output_config"],
        "monitoring_resources": given["job_resources"],
        "monitoring_app_specification": specification,
        "environment": environment,
    }


def _named(context: Context, name: str) -> Stored:
    stored = resources.find(context.connection, DATA_QUALITY, context.place, name)
    if stored is None:
        raise NotFound("Requested resource not found.", code="ResourceNotFound", status=400)
    return stored
