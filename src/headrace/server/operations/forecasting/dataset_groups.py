"""Dataset groups of Amazon Forecast: up to three datasets of one domain, one of each type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.finding import get
from headrace.server.operations.forecasting.kinds import DATASET, DATASET_GROUP
from headrace.server.operations.forecasting.listing import page
from headrace.server.resources import Stored

MOST_GROUPS = 500


def create_dataset_group(
    context: Context,
    *,
    dataset_group_name: str,
    domain: str,
    dataset_arns: Sequence[str] = (),
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Store a group of datasets. AWS page: CreateDatasetGroup."""
    check_datasets(context, domain, dataset_arns)
    states.check_count(context, DATASET_GROUP, MOST_GROUPS)
    record = {"dataset_group_name": dataset_group_name, "domain": domain, "dataset_arns": dataset_arns}
    return {"dataset_group_arn": states.create(context, DATASET_GROUP, dataset_group_name, record, tags=tags).arn}


def update_dataset_group(context: Context, *, dataset_group_arn: str, dataset_arns: Sequence[str]) -> None:
    """Replace the datasets of a group. AWS page: UpdateDatasetGroup."""
    stored = get(context, dataset_group_arn, DATASET_GROUP)
    check_datasets(context, stored.record["domain"], dataset_arns)
    states.note(context.connection, stored, now=context.now, dataset_arns=dataset_arns)


def describe_dataset_group(context: Context, *, dataset_group_arn: str) -> dict[str, Any]:
    """Return a group and its datasets. AWS page: DescribeDatasetGroup."""
    stored = get(context, dataset_group_arn, DATASET_GROUP)
    return {**states.shown(context, stored), "dataset_group_arn": stored.arn}


def list_dataset_groups(
    context: Context, *, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """Return dataset groups, the newest first. AWS page: ListDatasetGroups."""

    def summary(stored: Stored) -> dict[str, Any]:
        shown = states.shown(context, stored)
        members = "dataset_group_name", "creation_time", "last_modification_time"
        return {"dataset_group_arn": stored.arn, **{name: shown[name] for name in members}}

    return page(context, DATASET_GROUP, "dataset_groups", summary, next_token=next_token, max_results=max_results)


def delete_dataset_group(context: Context, *, dataset_group_arn: str) -> None:
    """Delete a group, and none of its datasets. AWS page: DeleteDatasetGroup."""
    states.remove(context, get(context, dataset_group_arn, DATASET_GROUP))


def datasets_of(context: Context, group: Stored) -> dict[str, Stored]:
    """Return the datasets of a group that are still there, by their types."""
    found = (resources.by_arn(context.connection, arn) for arn in group.record["dataset_arns"])
    return {each.record["dataset_type"]: each for each in found if each is not None}


def check_datasets(context: Context, domain: str, arns: Sequence[str]) -> None:
    """Raise NotFound or InvalidInput unless the datasets are there, of one domain, and one of each type."""
    found = [get(context, arn, DATASET) for arn in dict.fromkeys(arns)]
    for each in found:
        if each.record["domain"] != domain:
            raise InvalidInput(
                f"The dataset {each.arn} is of the domain {each.record['domain']} and the group of {domain}; "
                "the domains must match"
            )
    counted = Counter(each.record["dataset_type"] for each in found)
    twice = next((kind for kind, count in counted.items() if count > 1), None)
    if twice is not None:
        raise InvalidInput(f"The group would have {counted[twice]} datasets of the type {twice}; give one of each type")
