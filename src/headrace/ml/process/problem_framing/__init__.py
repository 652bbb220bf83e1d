"""Step 2, the machine-learning problem: task, observations, label, features, metric, baseline, shortlist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.errors import CharterError, ColumnError
from headrace.ml.metrics import METRICS, Metric, default_metric, find_metric
from headrace.ml.metrics.money import CostMatrix
from headrace.ml.process.business_problem import BusinessProblem, Charter
from headrace.ml.process.problem_framing.classes import order_classes
from headrace.ml.process.problem_framing.recognition import (
    WHOLE,
    few,
    recognise_task,
    refuse_unbuilt,
    require_content,
)
from headrace.ml.process.problem_framing.shortlist import shortlist_algorithms
from headrace.ml.process.problem_framing.target import Label, label_texts, read_label
from headrace.ml.process.problem_framing.task import choose_task
from headrace.ml.tables.table import Table

__all__ = ["ProblemFraming", "frame_problem", "label_texts"]


@dataclass(frozen=True)
class ProblemFraming:
    """The task and how it was recognised.

    `classes` are the labels in code order: for binary the positive class is last. `metric` is the name in
    ml/metrics that choices are made by. `shortlist` pairs an algorithm's name with why it is on the list.
    `observations` rows have a label that can be learnt; `unlabelled` rows have none, and `rare` maps each class with
    too few rows to learn from to their number: both kinds of rows are left out.
    """

    task: Task
    evidence: tuple[str, ...]
    target: str
    observations: int
    unlabelled: int
    features: tuple[str, ...]
    classes: tuple[str, ...]
    positive_class: str | None
    metric: str
    baseline: str
    shortlist: tuple[tuple[str, str], ...]
    rare: Mapping[str, int] = field(default_factory=dict)


def frame_problem(
    table: Table,
    target: str | None,
    business: BusinessProblem,
    *,
    task: Task | None = None,
    metric: str | None = None,
    time: str | None = None,
) -> ProblemFraming:
    """Recognise the task from the table and its target.

    Raises `NotBuiltError` for tasks not built yet, `ColumnError` for a target that is absent, `TargetError` for one
    that cannot be learnt, `OptionError` for a metric that does not judge the task, and `CharterError` for a KPI or
    a positive class that does not fit it.
    """
    charter = business.charter
    features = tuple(name for name in table.frame.columns if name != target and name not in charter.excluded_columns)
    recognised, shown = recognise_task(table, target, charter.excluded_columns, task=task, time=time)
    refuse_unbuilt(recognised, shown)
    if target is None:
        raise ColumnError(f"a {task} task needs a target; pass --target with one of {few(table.frame.columns)}")
    if not features:
        raise ColumnError(f"the table has no column beside the target '{target}' to learn from; add some")
    label = read_label(table, target)
    contents: tuple[str, ...] = ()
    if recognised in WHOLE:
        task = None if task is None else require_content(table, features, task)
        contents = (f"The rows are to be told apart by what they hold ({recognised}): {shown}.",)
    found, evidence = choose_task(label, task)
    classes, positive, why = order_classes(label, found, charter.positive_class)
    _require_fitting_costs(found, classes, charter)
    chosen, because = _choose_metric(found, metric, charter)
    return ProblemFraming(
        task=found,
        evidence=(*contents, *evidence, *why, *_left_out(label, found), because),
        target=target,
        observations=label.rows if found is Task.REGRESSION else sum(label.learnable.values()),
        unlabelled=label.missing,
        features=features,
        classes=classes,
        positive_class=positive,
        metric=chosen.name,
        baseline=_baseline(label, found),
        shortlist=shortlist_algorithms(
            found,
            label.rows,
            len(features),
            charter.interpretability,
            pictures=recognised is Task.IMAGE_CLASSIFICATION and found in CLASSIFICATION,
        ),
        rare=label.rare if found in CLASSIFICATION else {},
    )


def _choose_metric(task: Task, asked: str | None, charter: Charter) -> tuple[Metric, str]:
    for kpi in charter.kpis:
        _require_fitting(kpi.metric, task, charter)
    if asked is not None:
        found = find_metric(asked, task)
        return found, f"Choices are made by {found.title}, as asked: {found.meaning}."
    for kpi in charter.kpis:
        if kpi.metric in METRICS and not METRICS[kpi.metric].needs_threshold:
            found = METRICS[kpi.metric]
            return found, f"Choices are made by {found.title}, the charter's KPI: {found.meaning}."
    found = default_metric(task)
    return found, f"Choices are made by {found.title}, usual for a {task} task: {found.meaning}."


def _require_fitting(metric: str, task: Task, charter: Charter) -> None:
    """Raise `CharterError` where a KPI cannot be measured on this task."""
    if metric in METRICS:
        if task not in METRICS[metric].tasks:
            known = ", ".join(known.name for known in METRICS.values() if task in known.tasks)
            raise CharterError(f"the charter's KPI '{metric}' does not judge a {task} task; use one of {known}")
        return
    money = {
        Task.BINARY: ("decisions", charter.decisions),
        Task.MULTICLASS: ("costs", charter.costs or None),
        Task.REGRESSION: ("error_cost", charter.error_cost),
    }
    if task not in money:
        raise CharterError(
            f"the charter's KPI '{metric}' needs a target of classes or numbers, not a {task} task; remove it"
        )
    key, given = money[task]
    if given is None:
        raise CharterError(f"the charter's KPI '{metric}' needs the key '{key}' for a {task} task; add it")


def _require_fitting_costs(task: Task, classes: Sequence[str], charter: Charter) -> None:
    """Raise `CharterError` where the charter's costs of mistakes are for another task, or name no class."""
    if not charter.costs:
        return
    if task is not Task.MULTICLASS:
        use = {Task.BINARY: "; use 'decisions'", Task.REGRESSION: "; use 'error_cost'"}.get(task, "; remove them")
        raise CharterError(f"the charter's 'costs' are for targets of several classes, not for a {task} task{use}")
    try:
        CostMatrix.of(charter.costs, classes)
    except ValueError as error:
        raise CharterError(f"the charter's 'costs' {error}") from None


def _left_out(label: Label, task: Task) -> list[str]:
    said = []
    if label.missing:
        said.append(f"{label.missing:,} of {label.rows + label.missing:,} rows have no label and are left out.")
    if task in CLASSIFICATION and label.rare:
        names = few([f"{name} ({count})" for name, count in label.rare.items()])
        said.append(f"Classes with too few rows to learn from are left out, and their rows with them: {names}.")
    return said


def _baseline(label: Label, task: Task) -> str:
    if task is Task.REGRESSION:
        return f"always the mean of '{label.name}', about {label.numbers.mean():.6g}"
    name, count = max(label.learnable.items(), key=lambda pair: pair[1])
    share = count / sum(label.learnable.values())
    return f"always the share of each class, which answers '{name}' every time ({share:.1%} of the rows)"
