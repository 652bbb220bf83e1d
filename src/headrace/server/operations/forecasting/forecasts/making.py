"""The work of a forecast's job: the predictor at work on the data as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.server.containers.archives import pack, unpack
from headrace.server.context import Platform
from headrace.server.jobs.handle import Job
from headrace.server.jobs.records import JobStopped
from headrace.server.operations import artifacts
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.forecasts import keeping
from headrace.server.operations.forecasting.forecasts.selection import selected
from headrace.server.operations.forecasting.kinds import ACTIVE
from headrace.server.operations.forecasting.panels import read_data
from headrace.server.operations.forecasting.predictors.making import load
from headrace.server.operations.forecasting.predictors.requests import quantiles_of
from headrace.server.operations.training.channels import DataError
from headrace.server.resources import Stored, by_arn

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from headrace.ml.applications.forecasting.panel import Panel
    from headrace.ml.applications.forecasting.predictor import Predictor

PANEL = "panel.tar.gz"
"""The data that a forecast was made from: what analyses and explanations of it begin with."""


def make(job: Job, stored: Stored) -> None:
    """Forecast; raises DataError and the library's errors with the sentence for the Message."""
    platform = job.platform
    with platform.metadata.reading() as connection:
        owner = by_arn(connection, stored.parent)
    if owner is None:
        raise DataError(f"The predictor {stored.parent} is not there any more")
    job.progress("forecasting", 0.05, "reading the data")
    data = read_data(platform, owner.parent, owner.record["_plan"], job.folder / "data")
    chosen = selected(job, stored, stored.record.get("time_series_selector"), data.panel)
    panel = data.panel if len(chosen) == len(data.panel) else data.panel.select(chosen)
    predictor = load(platform, owner.arn, job.folder)
    files = [*forecast_files(job, predictor, panel, stored.record["forecast_types"])]
    if owner.record["_auto"]:
        files.append(_packed(panel, job.folder))
    finish(job, files, _related=data.related)


def read_kept(platform: Platform, arn: str, folder: Path) -> Panel:
    """Return the data that a forecast was made from."""
    from headrace.ml.applications.forecasting.predictor.panel_files import read_panel_files

    unpack(artifacts.fetch(platform, arn, PANEL, folder / PANEL), folder / "panel")
    return read_panel_files(folder / "panel")


def _packed(panel: Panel, folder: Path) -> Path:
    from headrace.ml.applications.forecasting.predictor.panel_files import write_panel

    write_panel(panel, folder / "panel")
    pack(folder / "panel", folder / PANEL)
    return folder / PANEL


def forecast_files(job: Job, predictor: Predictor, panel: Panel, types: Sequence[str]) -> tuple[Path, Path]:
    """Forecast a panel and write what `keeping` keeps of it."""

    def tell(doing: str, fraction: float) -> None:
        if job.cancelled:
            raise JobStopped
        job.progress("forecasting", 0.1 + 0.85 * fraction, doing)

    return keeping.write(
        job.folder / "forecast",
        dimensions=panel.dimensions,
        items=panel.items,
        starts=panel.ends.tolist(),
        frequency=panel.frequency,
        types=[shown_type(each) for each in types],
        values=forecast_values(predictor, panel, types, tell),
    )


def forecast_values(
    predictor: Predictor, panel: Panel, types: Sequence[str], tell: Any = lambda *_: None
) -> npt.NDArray[np.float64]:
    """Return forecasts of the types asked for, in their order, [items, types, horizon]."""
    import numpy as np

    levels = quantiles_of(types)
    found = predictor.forecast(panel, levels, tell=tell)
    return np.stack(
        [found.mean if each == "mean" else found.values[..., levels.index(round(float(each), 2))] for each in types],
        axis=1,
    )


def finish(job: Job, files: Sequence[Path], **members: Any) -> None:
    """Keep files of a resource in the transaction that makes it ACTIVE."""
    platform = job.platform
    staged = []
    try:
        staged += [(path.name, artifacts.stage(platform, path)) for path in files]
        with job.commit() as connection:
            stored = by_arn(connection, job.resource_arn)
            if stored is None:
                raise JobStopped
            for name, body in staged:
                artifacts.keep(connection, platform, stored.arn, name, body)
            states.end(connection, stored, ACTIVE, now=platform.clock(), **members)
    except BaseException:
        for _, body in staged:
            platform.objects.discard(body)
        raise


def shown_type(text: str) -> str:
    """Return a forecast type as answers and exports name it.

    >>> shown_type(".05"), shown_type("0.9"), shown_type("mean")
    ('p5', 'p90', 'mean')
    """
    return text if text == "mean" else f"p{round(float(text) * 100)}"
