"""The nine steps put together: from a table and a goal to a decision, a report and a compiled model."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.ml.applications.automl.options import Options, absolute, parse_duration, parse_task
from headrace.ml.applications.automl.output import FULL, choose_folder, output_folder, writing
from headrace.ml.applications.automl.state import RunState
from headrace.ml.errors import OptionError, RunInterrupted
from headrace.ml.process import STEPS
from headrace.ml.process.progress import Moment, Progress
from headrace.ml.process.training.pool import Workers, start_workers

if TYPE_CHECKING:
    from headrace.ml.process.datasets import Dataset
    from headrace.ml.tables.table import Table

Opener = Callable[[str], Any]
Frames = tuple[Any, Any]
"""The table and the test table where they are in memory, None where they are named."""
MEMORY = "a table in memory"


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


@dataclass
class Stopwatch:
    """Seconds a step, and the announcement of each."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[None]:
        """Announce a step and time the block."""
        number = list(STEPS).index(name) + 1
        self.progress.tell(doing, step=f"{number}/9 {STEPS[name]}")
        begin = clock.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + clock.monotonic() - begin


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
    sensitive: Sequence[str] = (),
    time: str | None = None,
    group: str | None = None,
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
    final = choose_folder(out, overwrite)
    if resume is not None:
        state, options = RunState.find(resume)
        frames: Frames = (None, None)
    else:
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
            sensitive=tuple(sensitive),
            time=time,
            group=group,
        )
        state = RunState.create(options if frames[0] is None and frames[1] is None else None)
    progress.budget = options.budget
    with (
        _kept_for_resuming(state),
        output_folder(final) as partial,
        writing(final, FULL),
        start_workers(state.workspace) as workers,
    ):
        steps, document = _walk(options, frames, state.workspace, workers, partial, progress, openers or {})
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
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take the steps in order; each gets the results of those before it."""
    from headrace.ml.process.business_problem import define_business_problem
    from headrace.ml.process.datasets import develop_datasets
    from headrace.ml.process.exploration import explore_data
    from headrace.ml.process.feature_engineering import engineer_features
    from headrace.ml.process.preparation import prepare_data
    from headrace.ml.process.problem_framing import frame_problem
    from headrace.ml.process.training import train_models

    watch, seed = Stopwatch(progress), options.seed
    with watch.step("business_problem", "reading the charter"):
        business = define_business_problem(Path(options.charter) if options.charter else None)
    with watch.step("datasets", f"reading {Path(options.source).name}"):
        table = _read(options.source, frames[0], openers)
        test = None if options.test is None else _read(options.test, frames[1], openers)
    with watch.step("problem_framing", "finding out the task"):
        framing = frame_problem(
            table, options.target, business, task=options.task, metric=options.metric, time=options.time
        )
    with watch.step("datasets", "typing the columns and checking readiness"):
        dataset = develop_datasets(
            table, business, framing, test=test, exclude=options.exclude, sensitive=options.sensitive,
            time=options.time, group=options.group,
        )  # fmt: skip
        business = replace(business, timeline=_timeline(dataset))
    with watch.step("preparation", "cleaning and splitting"):
        preparation = prepare_data(
            dataset, framing, seed=seed, budget=options.budget, time=options.time, group=options.group
        )
    with watch.step("exploration", "describing the training part"):
        exploration = explore_data(dataset, preparation, framing, seed=seed)
    with watch.step("feature_engineering", "making features and testing what they are worth"):
        engineering = engineer_features(preparation, framing, exploration, seed=seed, progress=progress)
    with watch.step("training", "fitting the first candidates"):
        training = train_models(
            preparation, framing, business, engineering, seed=seed, trials=options.trials,
            workspace=workspace, progress=progress, workers=workers,
        )  # fmt: skip
    steps = dict(
        zip(STEPS, (business, framing, dataset, preparation, exploration, engineering, training), strict=False)
    )
    document = _judge(options, table, steps, watch, partial)
    return steps, document


def _judge(options: Options, table: Table, steps: dict[str, Any], watch: Stopwatch, partial: Path) -> dict[str, Any]:
    """Compile the model, take the last two steps with it (they are added to `steps`), and write what a run leaves."""
    from headrace.ml.applications.automl.results import build_model, write_results
    from headrace.ml.process.business_goals import choose_threshold, evaluate_business_goals
    from headrace.ml.process.evaluation import evaluate_model

    business, framing, dataset, preparation, _, _, training = steps.values()
    seed, progress = options.seed, watch.progress
    with watch.step("evaluation", "compiling the model"):
        threshold = choose_threshold(business, framing, training, preparation)
        built = build_model(partial / "model", options, table, dataset, preparation, framing, training, threshold)
        progress.tell("measuring on the untouched test part")
        sensitive = tuple(dict.fromkeys((*options.sensitive, *business.charter.sensitive_columns)))
        seconds = 20.0 if options.budget is None else max(2.0, min(20.0, progress.remaining() - 2.0))
        steps["evaluation"] = evaluation = evaluate_model(
            preparation, framing, training, built.model,
            sensitive=sensitive, private=frozenset(dataset.personal), seed=seed, seconds=seconds,
        )  # fmt: skip
    with watch.step("business_goals", "weighing the model against the goal"):
        steps["business_goals"] = evaluate_business_goals(
            business, framing, preparation, training, evaluation, threshold,
            predict_microseconds=built.facts["predict_microseconds"], seed=seed, suspicious=dataset.suspicious,
        )  # fmt: skip
    return write_results(partial, options, steps, threshold, built, watch.seconds, progress)


def _timeline(dataset: Dataset) -> tuple[tuple[str, float], ...]:
    """Estimate the weeks a phase takes, now that the size and the state of the data are known."""
    from polars import String

    from headrace.ml.process.business_problem import estimate_timeline

    frame = dataset.frame
    cells = max(1, frame.height * frame.width)
    missing = sum(series.null_count() for series in frame)
    missing += sum(int((series == "").sum()) for series in frame if series.dtype == String)
    problems = sum(check.status in ("warn", "fail") for check in dataset.readiness)
    return estimate_timeline(frame.height, frame.width, missing / cells, readiness_problems=problems)


def _read(source: str, frame: Any, openers: Mapping[str, Opener]) -> Table:
    """Read the table from its source, or from the frame in memory where there is one."""
    if frame is None:
        from headrace.ml.tables import read_table

        return read_table(source, openers=openers)
    from headrace.ml.tables import table_from_frame

    return table_from_frame(frame)
