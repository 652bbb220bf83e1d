"""The nine steps of a forecast: from tables to forecasts.csv, the report and a model that can be used again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headrace.ml.applications.automl.output import FULL, choose_folder, output_folder, writing
from headrace.ml.applications.automl.walk import Stopwatch
from headrace.ml.applications.forecasting.command.document import forecast_document
from headrace.ml.applications.forecasting.command.files import FORECASTS, forecast_table, load_model, save_model
from headrace.ml.applications.forecasting.command.judging import judge
from headrace.ml.applications.forecasting.command.request import Costs, Request
from headrace.ml.applications.forecasting.command.stocking import choose_stock
from headrace.ml.applications.forecasting.options import Sources
from headrace.ml.applications.forecasting.panel import panel_of_tables, read_source
from headrace.ml.applications.forecasting.predictor import Predictor, train
from headrace.ml.errors import OptionError, RunInterrupted
from headrace.ml.process.progress import Moment, Progress
from headrace.ml.tables import Opener, Table
from headrace.ml.tables.table import shown_source

CLOSING = 3.0
"""Seconds of a budget that the report and the files take."""
Listener = Callable[[Moment], None]


@dataclass(frozen=True)
class ForecastRecord:
    """What a forecast leaves: report.json's document, and the folder."""

    document: Mapping[str, Any]
    out: Path


@dataclass(frozen=True)
class Tables:
    """The tables as they were read: the target's, and those of related series and items where there are any."""

    target: Table
    related: Table | None = None
    items: Table | None = None


def forecast(
    sources: Sources, request: Request, *, out: str | Path | None = None, overwrite: bool = False,
    listener: Listener | None = None, started: float | None = None, openers: Mapping[str, Opener] | None = None,
) -> ForecastRecord:  # fmt: skip
    """Train on the tables, forecast, and write OUT, which appears only when all succeeded.

    `listener` is told the progress; the budget counts from `started` (a `time.monotonic` stamp). Raises
    `HeadraceError`s, and `RunInterrupted` on Ctrl-C.
    """
    watch = _watch(request.training.budget, listener, started)
    return _written(
        out, overwrite, lambda partial: produce(_read(sources, watch, openers), request, partial, watch, sources)
    )


def forecast_again(
    sources: Sources, model: Path, *, costs: Costs | None = None, out: str | Path | None = None,
    overwrite: bool = False, listener: Listener | None = None, openers: Mapping[str, Opener] | None = None,
) -> ForecastRecord:  # fmt: skip
    """Forecast new tables with a saved model, without training; otherwise as `forecast`."""
    predictor, columns = load_model(model)
    request = Request(columns, predictor.options, costs or Costs())
    if request.costs.level is not None and request.costs.level not in predictor.options.quantiles:
        levels = ", ".join(f"{level:g}" for level in predictor.options.quantiles)
        raise OptionError(
            f"these costs ask for the quantile {request.costs.level:g}, and the model was trained for {levels}; train "
            "with them, or leave them out"
        )
    watch = _watch(None, listener, None)

    def make(partial: Path) -> dict[str, Any]:
        return produce(_read(sources, watch, openers), request, partial, watch, sources, predictor)

    return _written(out, overwrite, make)


def produce(
    tables: Tables, request: Request, partial: Path, watch: Stopwatch, sources: Sources,
    predictor: Predictor | None = None, goal: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Take the steps from the tables on, and write the files into `partial`; returns report.json's document.

    With a `predictor` nothing is trained.
    """
    from headrace.ml.applications.automl.results import versions
    from headrace.ml.report import write_report

    progress = watch.progress
    with watch.step("preparation", "bringing the series to a regular grid"):
        panel, findings = panel_of_tables(tables.target, request.columns, tables.related, tables.items)
        request = replace(request, columns=replace(request.columns, frequency=panel.frequency))
    with watch.step("training", "looking for models"):
        trained = predictor or train(panel, _in_time(request, progress), progress)
    with watch.step("evaluation", "forecasting"):
        told = trained.forecast(panel, tell=lambda doing, fraction: progress.tell(doing, fraction=fraction))
    with watch.step("business_goals", "weighing the forecasts against doing without"):
        stocking = choose_stock(panel if predictor is None else None, trained, request.costs)
        judgement = judge(trained)
    progress.tell("writing the report")
    folder = partial / "model"
    with writing(partial):
        save_model(trained, request.columns, folder)
        forecast_table(panel, told, request.columns, request.costs.level).write_csv(partial / FORECASTS)
    run = {
        "timings": {**watch.seconds, "total": progress.elapsed()}, "seed": request.training.seed,
        "versions": versions(), "source": shown_source(str(sources.target)),
        "options": asdict(request.training) | {"algorithms": list(trained.weights.models)},
        "created": datetime.now(UTC).isoformat(timespec="seconds"), "budget": request.training.budget,
        "model": {"bytes": sum(path.stat().st_size for path in folder.iterdir()), "reused": predictor is not None},
    }  # fmt: skip
    document = forecast_document(request, panel, trained, told, judgement, stocking, findings, run, goal or {})
    with writing(partial):
        write_report(partial, document)
    return document


def _in_time(request: Request, progress: Progress) -> Any:
    """Return the training's options with what is left of the budget."""
    if request.training.budget is None:
        return request.training
    return replace(request.training, budget=max(1.0, progress.remaining() - CLOSING))


def _watch(budget: float | None, listener: Listener | None, started: float | None) -> Stopwatch:
    progress = Progress(budget=budget, started=time.monotonic() if started is None else started)
    if listener is not None:
        progress.listener = listener
    return Stopwatch(progress)


def _read(sources: Sources, watch: Stopwatch, openers: Mapping[str, Opener] | None) -> Tables:
    with watch.step("datasets", f"reading {Path(str(sources.target)).name}"):
        others = (
            None if source is None else read_source(source, openers) for source in (sources.related, sources.items)
        )
        return Tables(read_source(sources.target, openers), *others)


def _written(out: str | Path | None, overwrite: bool, make: Callable[[Path], dict[str, Any]]) -> ForecastRecord:
    final = choose_folder(out, overwrite)
    try:
        with output_folder(final) as partial, writing(final, FULL):
            document = make(partial)
    except KeyboardInterrupt:
        raise RunInterrupted("the forecast was stopped; nothing was written") from None
    return ForecastRecord(document, final)
