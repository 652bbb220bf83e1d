"""A dataset group as predictors see it: the fields of its datasets, and the imports that hold their data."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InUse, InvalidInput
from headrace.server.operations.forecasting import finding
from headrace.server.operations.forecasting.dataset_groups import datasets_of
from headrace.server.operations.forecasting.domains import METADATA, RELATED, TARGET, layout
from headrace.server.operations.forecasting.kinds import ACTIVE, DATASET_GROUP, DATASET_IMPORT_JOB, UPDATING
from headrace.server.resources import Stored


@dataclass(frozen=True)
class Fields:
    """The fields that a plan may name: the target, the dimensions beside the item, numbers of the related series."""

    target: str
    dimensions: tuple[str, ...]
    related: tuple[str, ...] = ()
    related_dimensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """A dataset group with its datasets; `imports` are the ARNs of the import jobs that have filled them."""

    stored: Stored
    target: Stored
    related: Stored | None
    metadata: Stored | None
    imports: tuple[str, ...]

    @property
    def arn(self) -> str:
        """The ARN of the group."""
        return self.stored.arn

    @property
    def fields(self) -> Fields:
        """The fields of its datasets."""
        target = layout(self.target)
        related = None if self.related is None else layout(self.related)
        return Fields(
            target.target,
            target.dimensions,
            () if related is None else related.features,
            () if related is None else related.dimensions,
        )


def read_group(context: Context, arn: str) -> Group:
    """Return a dataset group whose data are there.

    Raises NotFound, InvalidInput where it has no target time series with data, InUse (ResourceInUse) during imports.
    """
    stored = finding.get(context, arn, DATASET_GROUP)
    datasets = datasets_of(context, stored)
    target = datasets.get(TARGET)
    if target is None:
        raise InvalidInput(f"The dataset group {arn} has no dataset of the type {TARGET}; add one to it")
    imports: list[str] = []
    for dataset in datasets.values():
        jobs = resources.listing(
            context.connection, DATASET_IMPORT_JOB, context.place, parent=dataset.arn, order="created"
        ).items
        done = [each.arn for each in jobs if each.state == ACTIVE]
        if dataset.state == UPDATING:
            raise InUse(f"The dataset {dataset.arn} is being filled; wait for the end of its import", status=400)
        if not done and dataset is target:
            raise InvalidInput(f"No data was imported into the dataset {dataset.arn} yet; import some first")
        imports += done
    return Group(stored, target, datasets.get(RELATED), datasets.get(METADATA), tuple(imports))
