"""Dataset import jobs: created, described, listed and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.finding import get, get_active
from headrace.server.operations.forecasting.imports.requests import check_request
from headrace.server.operations.forecasting.kinds import DATASET, DATASET_IMPORT_JOB, UPDATE_PENDING
from headrace.server.operations.forecasting.listing import PARENT, STATUS, Listed, page
from headrace.server.resources import Stored

MOST_JOBS = 1000
SUMMARY = (
    "dataset_import_job_name", "data_source", "status", "message", "creation_time", "last_modification_time",
    "import_mode",
)  # fmt: skip


def create_dataset_import_job(
    context: Context,
    *,
    dataset_import_job_name: str,
    dataset_arn: str,
    data_source: Mapping[str, Any],
    tags: Sequence[Mapping[str, str]] = (),
    **request: Any,
) -> dict[str, Any]:
    """Start an import into a dataset. AWS page: CreateDatasetImportJob.

    Raises InUse (ResourceInUse) while another import into it goes on.
    """
    dataset = get_active(context, dataset_arn, DATASET)
    check_request(context, dataset, data_source, request)
    states.check_count(context, DATASET_IMPORT_JOB, MOST_JOBS)
    record = {
        "dataset_import_job_name": dataset_import_job_name,
        "dataset_arn": dataset_arn,
        "data_source": data_source,
        **request,
        "format": request.get("format") or "CSV",
        "import_mode": request.get("import_mode") or "FULL",
    }
    identifier = f"{dataset.name}/{dataset_import_job_name}"
    stored = states.create(
        context,
        DATASET_IMPORT_JOB,
        dataset_import_job_name,
        record,
        identifier=identifier,
        parent=dataset.arn,
        tags=tags,
    )
    resources.change(context.connection, DATASET, dataset, now=context.now, state=UPDATE_PENDING)
    states.start(context, stored)
    return {"dataset_import_job_arn": stored.arn}


def describe_dataset_import_job(context: Context, *, dataset_import_job_arn: str) -> dict[str, Any]:
    """Return an import job, and what came of it. AWS page: DescribeDatasetImportJob."""
    stored = get(context, dataset_import_job_arn, DATASET_IMPORT_JOB)
    return {**states.shown(context, stored), "dataset_import_job_arn": stored.arn}


def list_dataset_import_jobs(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return import jobs, the newest first. AWS page: ListDatasetImportJobs."""

    def summary(stored: Stored) -> dict[str, Any]:
        shown = states.shown(context, stored)
        return {"dataset_import_job_arn": stored.arn, **{name: shown[name] for name in SUMMARY if name in shown}}

    return page(
        context,
        DATASET_IMPORT_JOB,
        "dataset_import_jobs",
        summary,
        **listed,
        by={"DatasetArn": PARENT, **STATUS},
    )


def delete_dataset_import_job(context: Context, *, dataset_import_job_arn: str) -> None:
    """Forget an import job that has ended; what it imported stays in the dataset. AWS page: DeleteDatasetImportJob."""
    states.remove(context, get(context, dataset_import_job_arn, DATASET_IMPORT_JOB))
