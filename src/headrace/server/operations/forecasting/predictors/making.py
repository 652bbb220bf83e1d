"""The work of a predictor's job: the data in, backtests and training, and the trained predictor kept as one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from headrace.server.containers.archives import pack, unpack
from headrace.server.context import Platform
from headrace.server.jobs.handle import Job
from headrace.server.jobs.records import JobStopped
from headrace.server.operations import artifacts
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.explainability.starting import begin, waiting_of
from headrace.server.operations.forecasting.kinds import ACTIVE
from headrace.server.operations.forecasting.monitors.moving import adopt
from headrace.server.operations.forecasting.panels import Data, read_data
from headrace.server.operations.forecasting.predictors.evaluation import evaluate
from headrace.server.operations.forecasting.predictors.requests import quantiles_of
from headrace.server.operations.forecasting.roles import place_of
from headrace.server.resources import Stored, by_arn

if TYPE_CHECKING:
    from headrace.ml.applications.forecasting.options import TrainingOptions
    from headrace.ml.applications.forecasting.predictor import Predictor
    from headrace.ml.process.progress import Moment

MODEL = "predictor.tar.gz"
TUNED = 2
"""How many times as long training may take with PerformHPO."""


def make(job: Job, stored: Stored) -> None:
    """Train a predictor; raises DataError and the library's errors with the sentence for its Message."""
    from headrace.ml.applications.forecasting.predictor import save_predictor, train
    from headrace.ml.process.progress import Progress

    plan = stored.record["_plan"]
    data = read_data(job.platform, stored.parent, plan, job.folder / "data")
    for finding in data.findings:
        job.log(finding)

    def listen(moment: Moment) -> None:
        if job.cancelled:
            raise JobStopped
        job.progress("training", moment.fraction, moment.doing)

    seconds = job.platform.settings.forecast_seconds * (TUNED if stored.record.get("perform_hpo") else 1)
    options = _options(plan, float(seconds))
    predictor = train(data.panel, options, Progress(budget=options.budget, listener=listen))
    save_predictor(predictor, job.folder / "predictor")
    archive = job.folder / MODEL
    pack(job.folder / "predictor", archive)
    _finish(job, data, predictor, archive)


def load(platform: Platform, arn: str, folder: Path) -> Predictor:
    """Return the predictor that a resource keeps, unpacked into a folder."""
    from headrace.ml.applications.forecasting.predictor import load_predictor

    path = artifacts.fetch(platform, arn, MODEL, folder / MODEL)
    unpack(path, folder / "predictor")
    return load_predictor(folder / "predictor")


def _options(plan: Mapping[str, Any], seconds: float) -> TrainingOptions:
    from headrace.ml.applications.forecasting.options import TrainingOptions

    return TrainingOptions(
        horizon=plan["horizon"],
        quantiles=quantiles_of(plan["types"]),
        windows=plan["windows"],
        window_offset=plan["window_offset"],
        algorithms=None if plan["algorithms"] is None else tuple(plan["algorithms"]),
        optimise=plan["optimise"],
        budget=seconds,
    )


def _finish(job: Job, data: Data, predictor: Predictor, archive: Path) -> None:
    """Keep the predictor in the transaction that makes it ACTIVE, and begin what waits for it."""
    platform = job.platform
    staged = artifacts.stage(platform, archive)
    try:
        with job.commit() as connection:
            stored, now = by_arn(connection, job.resource_arn), platform.clock()
            if stored is None:
                raise JobStopped
            artifacts.keep(connection, platform, stored.arn, MODEL, staged)
            plan, partition = stored.record["_plan"], place_of(stored).partition
            results = evaluate(predictor, plan, partition, automatic=stored.record["_auto"])
            members = {
                "_results": results.windows,
                "_attributes": data.attributes(plan["holidays"]),
                "_related": data.related,
                "_end": int(data.panel.ends.max()),
                **({} if stored.record["_auto"] else results.members(bool(stored.record["perform_auto_ml"]))),
            }
            stored = states.end(connection, stored, ACTIVE, now=now, **members)
            _follow(connection, platform, stored, now)
    except BaseException:
        platform.objects.discard(staged)
        raise


def _follow(connection: Connection, platform: Platform, stored: Stored, now: int) -> None:
    explainability = waiting_of(connection, stored)
    if explainability is not None:
        begin(connection, platform, explainability, now=now)
    adopt(connection, stored, now=now)
