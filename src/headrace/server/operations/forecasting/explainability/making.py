"""The work of an explainability's job: what attributes add to each forecast, by SHAP of the boosted trees."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from headrace.server.jobs.handle import Job
from headrace.server.operations.forecasting.explainability.scores import by_attribute, score_table
from headrace.server.operations.forecasting.explainability.starting import SPECIFIC
from headrace.server.operations.forecasting.forecasts.making import finish, read_kept
from headrace.server.operations.forecasting.forecasts.selection import items_at
from headrace.server.operations.forecasting.kinds import PREDICTOR
from headrace.server.operations.forecasting.panels import read_data
from headrace.server.operations.forecasting.predictors.making import load
from headrace.server.operations.training.channels import DataError
from headrace.server.resources import Stored, by_arn

if TYPE_CHECKING:
    from headrace.ml.applications.forecasting.panel import Panel
    from headrace.ml.applications.forecasting.predictor import Predictor

SCORES = "scores.parquet"
MOST_SERIES = 50
EXPLAINING = "gradient_boosting"
SECONDS = 60.0
"""What the fit of boosted trees may take, for a predictor that has none."""


def make(job: Job, stored: Stored) -> None:
    """Reckon impact scores; raises DataError and the library's errors with the sentence for the Message."""
    platform = job.platform
    with platform.metadata.reading() as connection:
        owner = by_arn(connection, stored.parent)
        predictor = (
            owner if owner and owner.kind == PREDICTOR.kind else by_arn(connection, owner.parent if owner else "")
        )
    if owner is None or predictor is None:
        raise DataError(f"The resource {stored.parent} is not there any more")
    plan = predictor.record["_plan"]
    job.progress("explaining", 0.1, "reading the data")
    if owner.kind == PREDICTOR.kind:
        panel = read_data(platform, predictor.parent, plan, job.folder / "data").panel
    else:
        panel = read_kept(platform, owner.arn, job.folder)
    items = _items(job, stored, panel)
    steps = _steps(stored.record, panel, plan["horizon"])
    job.progress("explaining", 0.3, "reckoning contributions")
    found = _contributions(load(platform, predictor.arn, job.folder), panel, plan["horizon"])
    named = by_attribute(found, predictor.record["_attributes"], plan["holidays"])
    each_step = stored.record["explainability_config"]["time_point_granularity"] == SPECIFIC
    table = score_table(panel, named, items=items, steps=steps, each_step=each_step)
    table.write_parquet(job.folder / SCORES)
    finish(job, [job.folder / SCORES])


def _contributions(predictor: Predictor, panel: Panel, horizon: int) -> Mapping[str, Any]:
    """Return what attributes add to forecasts [n, h], of the predictor's trees, or of trees that are fitted now."""
    from headrace.ml.applications.forecasting.models import MODELS

    model = MODELS[EXPLAINING]
    state = predictor.states.get(EXPLAINING)
    fitted: Any = (
        model().fit(panel, horizon, seed=0, seconds=SECONDS) if state is None else model.fitted.from_arrays(state)
    )
    found: Mapping[str, Any] = fitted.contributions(panel)
    return found


def _items(job: Job, stored: Stored, panel: Panel) -> list[int]:
    """Return the series that are to be explained one by one: none, where all are together."""
    record = stored.record
    if record["explainability_config"]["time_series_granularity"] != SPECIFIC:
        return []
    found = items_at(job, stored, record["data_source"], record["schema"], record.get("format"), panel)
    if len(found) > MOST_SERIES:
        raise DataError(f"The file names {len(found)} time series, and at most {MOST_SERIES} can be explained at once")
    return found


def _steps(record: Mapping[str, Any], panel: Panel, horizon: int) -> list[int]:
    """Return the steps of the horizon that are to be explained, by the dates of the series that ends last."""
    if record["explainability_config"]["time_point_granularity"] != SPECIFIC:
        return list(range(horizon))
    last = int(panel.ends.argmax())
    start, end = (datetime.fromisoformat(record[name]) for name in ("start_date_time", "end_date_time"))
    times = panel.future_times(last, horizon).tolist()
    found = [step for step, time in enumerate(times) if start <= time <= end]
    if not found:
        raise DataError(f"There is no forecast from {start} to {end}; it goes from {times[0]} to {times[-1]}")
    return found
