"""Datasets of Amazon Forecast: created, described, listed and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.domains import RELATED, check_schema
from headrace.server.operations.forecasting.finding import get
from headrace.server.operations.forecasting.frequencies import parse_frequency
from headrace.server.operations.forecasting.kinds import DATASET
from headrace.server.operations.forecasting.listing import page
from headrace.server.operations.forecasting.roles import check_encryption
from headrace.server.resources import Stored

MOST_DATASETS = 1500


def create_dataset(
    context: Context,
    *,
    dataset_name: str,
    domain: str,
    dataset_type: str,
    schema: Mapping[str, Any],
    data_frequency: str | None = None,
    encryption_config: Mapping[str, Any] | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Store a dataset, which imports fill. AWS page: CreateDataset."""
    check_schema(domain, dataset_type, schema)
    if data_frequency:
        parse_frequency(data_frequency, "DataFrequency")
    elif dataset_type == RELATED:
        raise InvalidInput("A RELATED_TIME_SERIES dataset needs a DataFrequency; give that of its data")
    check_encryption(context, encryption_config)
    states.check_count(context, DATASET, MOST_DATASETS)
    record = {
        "dataset_name": dataset_name,
        "domain": domain,
        "dataset_type": dataset_type,
        "data_frequency": data_frequency,
        "schema": schema,
        "encryption_config": encryption_config,
    }
    return {"dataset_arn": states.create(context, DATASET, dataset_name, record, tags=tags).arn}


def describe_dataset(context: Context, *, dataset_arn: str) -> dict[str, Any]:
    """Return a dataset and where it stands. AWS page: DescribeDataset."""
    stored = get(context, dataset_arn, DATASET)
    return {**states.shown(context, stored), "dataset_arn": stored.arn}


def list_datasets(context: Context, *, next_token: str | None = None, max_results: int | None = None) -> dict[str, Any]:
    """Return datasets, the newest first. AWS page: ListDatasets."""

    def summary(stored: Stored) -> dict[str, Any]:
        shown = states.shown(context, stored)
        members = "dataset_name", "dataset_type", "domain", "creation_time", "last_modification_time"
        return {"dataset_arn": stored.arn, **{name: shown[name] for name in members}}

    return page(context, DATASET, "datasets", summary, next_token=next_token, max_results=max_results)


def delete_dataset(context: Context, *, dataset_arn: str) -> None:
    """Delete a dataset with all that was imported; groups keep its ARN. AWS page: DeleteDataset."""
    states.remove(context, get(context, dataset_arn, DATASET))
