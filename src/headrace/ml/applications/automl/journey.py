"""The nine steps put together: from a table and a goal to a decision, a report and a compiled model."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.ml.applications.automl.options import Options, absolute, absolute_joins, parse_duration, parse_task
from headrace.ml.applications.automl.output import FULL, choose_folder, output_folder, writing
from headrace.ml.applications.automl.state import RunState
from headrace.ml.applications.automl.walk import Outcome, Stopwatch, Walk
from headrace.ml.contract import Task
from headrace.ml.errors import OptionError, RunInterrupted
from headrace.ml.process.progress import Moment, Progress
from headrace.ml.process.training.pool import Workers, start_workers

if TYPE_CHECKING:
    from headrace.ml.tables.table import Table

Opener = Callable[[str], Any]
Frames = tuple[Any, Any]
"""The table and the test table where they are in memory, None where they are named."""
MEMORY = "a table in memory"
FAMILIES: Mapping[Task | None, str] = {
    Task.CLUSTERING: "clustering",
    Task.ANOMALY_DETECTION: "anomalies",
    Task.ASSOCIATION_RULES: "rules",
    Task.FORECASTING: "series",
}
"""Task → the module beside this one whose `walk` takes its steps 2 to 9; `supervised` where it is not named."""


@dataclass(frozen=True)
class ProcessRecord:
    """What a run leaves: the record of each step by its name in `STEPS`, report.json's document, and where OUT is."""

    steps: Mapping[str, Any]
    document: Mapping[str, Any]
    out: Path

    @property
    def decision(self) -> str:
        """Return go, go-with-conditions or no-go."""
        return str(self.document["decision"])

    def model(self) -> Any:
        """Open the compiled model for prediction."""
        from headrace.ml.prediction import load

        return load(self.out / "model")

    def decide(self, *, write: bool = False, **asked: Any) -> dict[str, Any]:
        """Decide anew by other costs, limits or KPIs, the fields of `deciding.Request`; see `deciding.decide`."""
        from headrace.ml.applications.deciding import Request, decide

        return decide(self.out, Request(**asked), write=write)


def run(
    table: Any = None,
    target: str | None = None,
    *,
    task: str | None = None,
    test: Any = None,
    charter: str | Path | None = None,
    budget: str | float = 60.0,
    trials: int | None = None,
    metric: str | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    overwrite: bool = False,
    exclude: Sequence[str] = (),
    keep: Sequence[str] = (),
    sensitive: Sequence[str] = (),
    mitigate: str | None = None,
    time: str | None = None,
    group: str | None = None,
    joins: Sequence[str] = (),
    coverage: float = 0.9,
    item: str | None = None,
    contamination: float | None = None,
    window: int | None = None,
    horizon: int | None = None,
    resume: str | None = None,
    listener: Callable[[Moment], None] | None = None,
    started: float | None = None,
    openers: Mapping[str, Opener] | None = None,
) -> ProcessRecord:
    """Walk the nine steps and write OUT; a no-go is a result like any other.

    `table` and `test` are paths, URLs or frames (polars, pandas, Arrow, a list of dicts). `budget` is wall time in
    seconds or as '60s', '5m', counted from `started` (a `time.monotonic()` stamp; now without). With `trials`
    the search tries exactly that many candidates instead, and the run repeats exactly. `out` appears only when
    the run succeeds. `openers` open further URL schemes. Raises `HeadraceError`s, and `RunInterrupted` on Ctrl-C.
    """
    progress = Progress(started=clock.monotonic() if started is None else started)
    if listener is not None:
        progress.listener = listener
    resumed: int | None = None
    if resume is not None:
        state, options = RunState.find(resume)
        frames: Frames = (None, None)
        final = choose_folder(*(state.out() if out is None else (out, overwrite)))
        resumed = state.finished_fits()
        progress.tell(f"{Path(options.source).name}, {resumed:,} fits are kept", step=f"Resuming {resume}")
    else:
        final = choose_folder(out, overwrite)
        if table is None:
            raise OptionError("no table is given; name a file, a database or an earlier run to resume")
        frames = (_in_memory(table), _in_memory(test))
        options = Options(
            source=MEMORY if frames[0] is not None else absolute(table) or "",
            target=target,
            task=parse_task(task),
            test=MEMORY if frames[1] is not None else absolute(test),
            charter=absolute(charter),
            budget=None if trials is not None else parse_duration(budget),
            trials=trials,
            metric=metric,
            seed=seed,
            exclude=tuple(exclude),
            keep=tuple(keep),
            sensitive=tuple(sensitive),
            mitigate=mitigate,
            time=time,
            group=group,
            joins=absolute_joins(joins),
            coverage=float(coverage),
            item=item,
            contamination=contamination,
            window=window,
            horizon=horizon,
        )
        named = frames[0] is None and frames[1] is None
        state = RunState.create(options if named else None, final, overwrite=overwrite)
    progress.budget = options.budget
    progress.pace.note(progress.elapsed(), clock.process_time())
    with (
        state.held(),
        _kept_for_resuming(state),
        output_folder(final) as partial,
        writing(final, FULL),
        start_workers(state.workspace, pace=progress.pace) as workers,
    ):
        steps, document = _walk(options, frames, state.workspace, workers, partial, progress, openers or {}, resumed)
    progress.tell("done", step="9/9 Business goals", fraction=1.0)
    return ProcessRecord(steps, document, final)


def _in_memory(source: Any) -> Any:
    """Return a source that is a frame; None for a path, an address or nothing."""
    return None if isinstance(source, str | Path | None) else source


@contextmanager
def _kept_for_resuming(state: RunState) -> Iterator[None]:
    """Remove the run's state when the block ends, but keep it when the user interrupts, and say how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        if state.resumable:
            raise RunInterrupted(
                f"the run was stopped and nothing was written; go on with: headrace run --resume {state.identifier}"
            ) from None
        state.remove()
        raise RunInterrupted("the run was stopped; nothing was written") from None
    except BaseException:
        state.remove()
        raise
    state.remove()


def _walk(
    options: Options,
    frames: Frames,
    workspace: Path,
    workers: Workers,
    partial: Path,
    progress: Progress,
    openers: Mapping[str, Opener],
    resumed: int | None,
) -> Outcome:
    """Read the charter and the table, find out the family of the task, and take its steps."""
    from headrace.ml.process.business_problem import define_business_problem
    from headrace.ml.process.problem_framing.recognition import recognise_task, usual_target

    watch = Stopwatch(progress)
    with watch.step("business_problem", "reading the charter"):
        business = define_business_problem(Path(options.charter) if options.charter else None)
    with watch.step("datasets", f"reading {Path(options.source).name}"):
        table = _read(options.source, frames[0], openers)
        test = None if options.test is None else _read(options.test, frames[1], openers)
        if options.joins:
            from headrace.ml.tables.joining import learn_joins, parse_join

            requests = [parse_join(join) for join in options.joins]
            table, test = learn_joins(
                table, requests, lambda source: _read(source, None, openers), target=options.target, time=options.time,
                test=test,
            )  # fmt: skip
    options = replace(options, target=usual_target(table, options.target))
    with watch.step("problem_framing", "finding out the task"):
        task, _ = recognise_task(
            table, options.target, business.charter.excluded_columns, task=options.task, time=options.time
        )
    if task in FAMILIES:
        workers.close()  # which would go on importing what is not needed
    family = import_module(f"headrace.ml.applications.automl.{FAMILIES.get(task, 'supervised')}")
    take: Callable[[Walk], Outcome] = family.walk
    return take(Walk(options, business, table, test, workspace, workers, partial, watch, resumed))


def _read(source: str, frame: Any, openers: Mapping[str, Opener]) -> Table:
    """Read the table from its source, or from the frame in memory where there is one."""
    if frame is None:
        from headrace.ml.tables import read_table
        from headrace.ml.tables.memory import allowance

        return read_table(source, openers=openers, most_bytes=allowance())
    from headrace.ml.tables import table_from_frame

    return table_from_frame(frame)
