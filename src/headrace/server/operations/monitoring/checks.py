"""What a monitoring job may be: checked when a schedule or a definition is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.acting import check_role
from headrace.server.operations.monitoring.sources import watched
from headrace.server.operations.processing.requests import check_path, is_analysis
from headrace.server.operations.processing.states import PROCESSING_JOB
from headrace.server.operations.storage.transfer import parse_uri
from headrace.server.resources import find

SCRIPTS = {
    "record_preprocessor_source_uri": "RecordPreprocessorSourceUri",
    "post_analytics_processor_source_uri": "PostAnalyticsProcessorSourceUri",
}
RESOURCES = {"constraints_resource": "constraints.json", "statistics_resource": "statistics.json"}


def check_definition(context: Context, job: Mapping[str, Any]) -> None:
    """Raise InvalidInput on a MonitoringJobDefinition that can't be run."""
    specification = job["monitoring_app_specification"]
    if not is_analysis(specification["image_uri"]):
        raise _invalid(
            f"The image {specification['image_uri']} is not the model monitor's (sagemaker-model-monitor-analyzer), "
            "the one that schedules run here; run other images by CreateProcessingJob"
        )
    for name, shown in SCRIPTS.items():
        if specification.get(name):
            raise _invalid(f"{shown} is set, and the model monitor runs no scripts of users here; leave it out")
    check_path(watched(context, job).path, "MonitoringInputs")
    output = job["monitoring_output_config"]["monitoring_outputs"][0]["s3_output"]
    parse_uri(output["s3_uri"])
    check_path(output["local_path"], "MonitoringOutputs")
    baseline_uris(context, job)
    check_role(context, job["role_arn"])


def baseline_uris(context: Context, job: Mapping[str, Any]) -> dict[str, str]:
    """Return the S3 URIs of a job's baseline, by constraints_resource and statistics_resource; raises InvalidInput."""
    given = job.get("baseline_config") or {}
    uris = {name: given[name]["s3_uri"] for name in RESOURCES if (given.get(name) or {}).get("s3_uri")}
    name = given.get("baselining_job_name")
    if name and not uris:
        made = find(context.connection, PROCESSING_JOB, context.place, name)
        outputs = ((made.record.get("processing_output_config") or {}).get("outputs") or ()) if made else ()
        if not outputs:
            raise _invalid(f"Could not find the baselining job {name!r} with an output; name one that has run")
        uris = {each: f"{outputs[0]['s3_output']['s3_uri'].rstrip('/')}/{file}" for each, file in RESOURCES.items()}
    for uri in uris.values():
        parse_uri(uri)
    return uris


def _invalid(sentence: str) -> InvalidInput:
    return InvalidInput(f"{sentence}.", code="ValidationException")
