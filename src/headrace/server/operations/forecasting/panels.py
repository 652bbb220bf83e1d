"""The imported data of a dataset group as the library's panel, by the plan of a predictor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.server.context import Platform
from headrace.server.operations.forecasting.domains import METADATA, RELATED, TARGET
from headrace.server.operations.forecasting.imports.data import Imported, fetch_data
from headrace.server.operations.training.channels import DataError
from headrace.server.resources import Stored, by_arn

if TYPE_CHECKING:
    from headrace.ml.applications.forecasting.frequencies import Frequency
    from headrace.ml.applications.forecasting.panel import Panel

MONTHS = (
    "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER",
    "DECEMBER",
)  # fmt: skip
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


@dataclass(frozen=True)
class Data:
    """A panel, what is notable about it, and the fields that explanations and what-if analyses may name."""

    panel: Panel
    findings: tuple[str, ...]
    related: tuple[str, ...]
    metadata: tuple[str, ...]

    def attributes(self, holidays: str | None) -> tuple[str, ...]:
        """Return what can be explained."""
        return (*self.related, *self.metadata, *(("holidays",) if holidays else ()))


def read_data(platform: Platform, group_arn: str, plan: Mapping[str, Any], folder: Path) -> Data:
    """Return what was imported into the datasets of a group, as it is now; files lie in `folder` meanwhile.

    Raises DataError, and the library's errors on data that can't be forecast.
    """
    from headrace.ml.applications.forecasting.options import Filling, PanelOptions, Sources
    from headrace.ml.applications.forecasting.panel import read_panel

    found = _imported(platform, group_arn, folder)
    target, related, items = found[TARGET], found.get(RELATED), found.get(METADATA)
    fields = target.layout
    options = PanelOptions(
        time=fields.timestamp,
        target=fields.target,
        item=fields.item,
        dimensions=tuple(plan["dimensions"]),
        horizon=plan["horizon"],
        frequency=frequency_of(plan),
        filling={name: Filling.from_parameters(rules, name) for name, rules in plan["filling"].items()},
        time_zone=target.time_zone or None,
        holidays=plan["holidays"],
        keep_boundaries=bool(plan["boundary"]),
    )
    panel, findings = read_panel(
        Sources(target.path, related.path if related else None, items.path if items else None), options
    )
    return Data(
        panel,
        findings,
        related.layout.features if related else (),
        items.layout.features if items else (),
    )


def frequency_of(plan: Mapping[str, Any]) -> Frequency:
    """Return the frequency of a plan with its time alignment boundary."""
    from headrace.ml.applications.forecasting.frequencies import Frequency

    frequency, boundary = Frequency.parse(plan["frequency"], strict=True), plan["boundary"] or {}
    day, month = boundary.get("day_of_week"), boundary.get("month")
    return replace(
        frequency,
        hour=boundary.get("hour", 0),
        day_of_week=0 if day is None else DAYS.index(day),
        day_of_month=boundary.get("day_of_month", 1),
        month=1 if month is None else MONTHS.index(month) + 1,
    )


def _imported(platform: Platform, group_arn: str, folder: Path) -> dict[str, Imported]:
    with platform.metadata.reading() as connection:
        group = by_arn(connection, group_arn)
        datasets = [by_arn(connection, arn) for arn in group.record["dataset_arns"]] if group else []
    present = {each.record["dataset_type"]: each for each in datasets if isinstance(each, Stored)}
    if TARGET not in present:
        raise DataError(f"The dataset group {group_arn} has no dataset of the type {TARGET} any more")
    return {
        kind: fetch_data(platform, each, folder / f"{kind.lower()}.parquet")
        for kind, each in present.items()
        if kind == TARGET or each.record.get("_imported")
    }
