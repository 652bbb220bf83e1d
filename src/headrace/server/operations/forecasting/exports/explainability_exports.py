"""Exports of impact scores: created, described, listed and deleted."""

from __future__ import annotations

from typing import Any, Unpack

from headrace.server.context import Context
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.describing import describe, summaries
from headrace.server.operations.forecasting.exports.starting import Exporting, start_export
from headrace.server.operations.forecasting.kinds import EXPLAINABILITY, EXPLAINABILITY_EXPORT
from headrace.server.operations.forecasting.listing import PARENT, STATUS, Listed, page


def create_explainability_export(
    context: Context,
    *,
    explainability_export_name: str,
    explainability_arn: str,
    **asked: Unpack[Exporting],
) -> dict[str, Any]:
    """Write impact scores into S3. AWS page: CreateExplainabilityExport.

    Raises InvalidInput on a role that can't be assumed, AlreadyExists on a name that is taken, InUse (ResourceInUse)
    on what is not ACTIVE yet.
    """
    owner = finding.get_active(context, explainability_arn, EXPLAINABILITY)
    record = {"explainability_export_name": explainability_export_name, "explainability_arn": explainability_arn}
    stored = start_export(context, EXPLAINABILITY_EXPORT, explainability_export_name, owner, record, asked)
    return {"explainability_export_arn": stored.arn}


def describe_explainability_export(context: Context, *, explainability_export_arn: str) -> dict[str, Any]:
    """Return what is known of an export (AWS page: Amazon Forecast API, DescribeExplainabilityExport)."""
    return describe(context, explainability_export_arn, EXPLAINABILITY_EXPORT, "explainability_export_arn", timed=False)


def list_explainability_exports(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return summaries of exports (AWS page: Amazon Forecast API, ListExplainabilityExports)."""
    return page(
        context,
        EXPLAINABILITY_EXPORT,
        "explainability_exports",
        summaries(context, "explainability_export_arn", "explainability_export_name", "destination"),
        **listed,
        by={"ResourceArn": PARENT, **STATUS},
    )


def delete_explainability_export(context: Context, *, explainability_export_arn: str) -> None:
    """Forget an export that has ended; its files stay (AWS page: DeleteExplainabilityExport)."""
    states.remove(context, finding.get(context, explainability_export_arn, EXPLAINABILITY_EXPORT))
