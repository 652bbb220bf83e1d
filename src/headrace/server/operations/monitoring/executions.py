"""Executions of monitoring schedules: begun as processing jobs, noted where they were missed, and listed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput
from headrace.server.operations.monitoring.checks import RESOURCES, baseline_uris
from headrace.server.operations.monitoring.definitions import TYPE, job_of
from headrace.server.operations.monitoring.sources import Watched, watched
from headrace.server.operations.monitoring.times import Window, iso
from headrace.server.operations.processing.jobs import start
from headrace.server.operations.processing.requests import complete_request
from headrace.server.operations.processing.states import FAILED, MONITORING_EXECUTION, PROCESSING_JOB
from headrace.server.resources import Stored, member
from headrace.server.stores.metadata.tables.resources import RESOURCES as ROWS

BASELINE = "/opt/ml/processing/baseline"
FOLDERS = {"constraints_resource": "constraints", "statistics_resource": "stats"}
VARIABLES = {"constraints_resource": "baseline_constraints", "statistics_resource": "baseline_statistics"}
RUNTIME = 3_600
SAME = {
    "monitoring_schedule_name": "monitoring_schedule_name",
    "endpoint_name": "endpoint_name",
    "monitoring_job_definition_name": "monitoring_job_definition_name",
    "monitoring_type_equals": "monitoring_type",
}


def launch(context: Context, schedule: Stored, scheduled: int, window: Window) -> None:
    """Begin the execution of a time as a processing job, or note why it can't be; it is done once for each time."""
    try:
        job = job_of(context, schedule.record["monitoring_schedule_config"])
        data, baseline = watched(context, job), baseline_uris(context, job)
    except InvalidInput as error:
        note_failed(context, schedule, scheduled, error.message)
        return
    name = f"model-monitoring-{moment(scheduled):%Y%m%d%H%M}-{secrets.token_hex(12)}"
    arn = PROCESSING_JOB.arn_of(context.place, name, {"lowered": name})
    execution = _store(context, schedule, scheduled, {"processing_job_arn": arn})
    if execution is None:
        return
    record = complete_request(_request(job, schedule.name, data, baseline, scheduled, window))
    members = {"monitoring_schedule_arn": schedule.arn, "execution": execution.arn, "role_arn": job["role_arn"]}
    start(context, name, {**record, **members}, {})


def note_failed(context: Context, schedule: Stored, scheduled: int, reason: str) -> None:
    """Note that the execution of a time could not be, and why."""
    execution = _store(context, schedule, scheduled, {"failure_reason": reason})
    if execution is not None:
        resources.change(context.connection, MONITORING_EXECUTION, execution, now=context.now, state=FAILED)


def list_monitoring_executions(context: Context, *, next_token: str | None = None, **asked: Any) -> dict[str, Any]:
    """Return executions, the newest first unless asked otherwise. AWS page: ListMonitoringExecutions."""
    where = [member(kept) == asked[name] for name, kept in SAME.items() if asked.get(name)]
    after, before = asked.get("scheduled_time_after"), asked.get("scheduled_time_before")
    if isinstance(after, datetime):
        where.append(ROWS.c.name >= str(stamp(after)))
    if isinstance(before, datetime):
        where.append(ROWS.c.name < str(stamp(before) + 1))
    by_time = asked.get("sort_by") == "ScheduledTime"
    page = resources.search(
        context.connection,
        MONITORING_EXECUTION,
        context.place,
        {**asked, "sort_by": "Name"} if by_time else asked,
        where=where,
        position=context.position(next_token, of="list_monitoring_executions"),
        sort_order="Descending",
    )
    return {
        "monitoring_execution_summaries": [_summary(each) for each in page.items],
        "next_token": context.token(page.position, of="list_monitoring_executions"),
    }


def last_execution(context: Context, schedule: Stored) -> dict[str, Any] | None:
    """Return the summary of a schedule's newest execution, or None before the first."""
    page = resources.listing(
        context.connection,
        MONITORING_EXECUTION,
        context.place,
        where=[member("schedule_arn") == schedule.arn],
        descending=True,
        limit=1,
    )
    return _summary(page.items[0]) if page.items else None


def _store(context: Context, schedule: Stored, scheduled: int, members: Mapping[str, Any]) -> Stored | None:
    """Store the execution of a time, or return None where it has been."""
    config = schedule.record["monitoring_schedule_config"]
    record = {
        "monitoring_schedule_name": schedule.name,
        "schedule_arn": schedule.arn,
        "scheduled_time": scheduled,
        "endpoint_name": schedule.record["endpoint_name"],
        "monitoring_job_definition_name": config.get("monitoring_job_definition_name"),
        "monitoring_type": TYPE,
        **members,
    }
    name = f"{scheduled}/{schedule.name}/{schedule.created}"
    try:
        return resources.create(context.connection, MONITORING_EXECUTION, context.place, name, record, now=context.now)
    except AlreadyExists:
        return None


def _request(
    job: Mapping[str, Any],
    schedule: str,
    data: Watched,
    baseline: Mapping[str, str],
    scheduled: int,
    window: Window,
) -> dict[str, Any]:
    """Return the members of CreateProcessingJob for an execution (AWS page: Container contract inputs)."""
    wanted = job["monitoring_output_config"]
    output = wanted["monitoring_outputs"][0]["s3_output"]
    parts = (output["s3_uri"].rstrip("/"), data.endpoint, schedule, f"{moment(scheduled):%Y/%m/%d/%H}")
    place = "/".join(part for part in parts if part)
    specification = job["monitoring_app_specification"]
    return {
        "processing_inputs": [*data.inputs(window.hours()), *_baselines(baseline)],
        "processing_output_config": {
            "outputs": [
                {
                    "output_name": "result",
                    "s3_output": {"s3_upload_mode": "EndOfJob", **output, "s3_uri": place},
                    "app_managed": True,
                }
            ],
            "kms_key_id": wanted.get("kms_key_id"),
        },
        "processing_resources": job["monitoring_resources"],
        "stopping_condition": job.get("stopping_condition") or {"max_runtime_in_seconds": RUNTIME},
        "app_specification": {name: specification[name] for name in specification if not name.endswith("_source_uri")},
        "environment": {
            "dataset_format": json.dumps(data.form),
            "publish_cloudwatch_metrics": "Enabled",
            **(job.get("environment") or {}),
            "dataset_source": data.path,
            "output_path": output["local_path"],
            **({"sagemaker_endpoint_name": data.endpoint} if data.endpoint else {}),
            "sagemaker_monitoring_schedule_name": schedule,
            "start_time": iso(window.start),
            "end_time": iso(window.end),
            **{
                VARIABLES[name]: f"{BASELINE}/{FOLDERS[name]}/{uri.rpartition('/')[2]}"
                for name, uri in baseline.items()
            },
        },
        "network_config": job.get("network_config"),
    }


def _baselines(baseline: Mapping[str, str]) -> list[dict[str, Any]]:
    names = {"constraints_resource": "constraints", "statistics_resource": "baseline"}
    return [
        {
            "input_name": names[name],
            "s3_input": {
                "s3_uri": baseline[name],
                "local_path": f"{BASELINE}/{FOLDERS[name]}",
                "s3_data_type": "S3Prefix",
            },
        }
        for name in RESOURCES
        if name in baseline
    ]


def _summary(stored: Stored) -> dict[str, Any]:
    return {
        **{name: value for name, value in stored.record.items() if value is not None and name != "schedule_arn"},
        "scheduled_time": moment(stored.record["scheduled_time"]),
        "creation_time": moment(stored.created),
        "last_modified_time": moment(stored.modified),
        "monitoring_execution_status": stored.state,
    }
