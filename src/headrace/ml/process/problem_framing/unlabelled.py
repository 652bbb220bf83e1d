"""Framing a table without a label: clusters, anomalies or rules, and what they are judged by."""

from __future__ import annotations

from headrace.ml.contract import Task
from headrace.ml.errors import CharterError, DataError, OptionError
from headrace.ml.metrics.unlabelled import UNLABELLED
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.tables.table import Table

FEWEST_ROWS = 30
_METRIC = {
    Task.CLUSTERING: "silhouette",
    Task.ANOMALY_DETECTION: "planted_auc",
    Task.ASSOCIATION_RULES: "hit_rate",
}
_BASELINE = {
    Task.CLUSTERING: "one cluster: columns of the same spread with no clusters in them",
    Task.ANOMALY_DETECTION: "the largest robust z-score among the columns of a row",
    Task.ASSOCIATION_RULES: "always the items that occur most often",
}
_SHORTLIST = {
    Task.CLUSTERING: (
        ("k_means", "round clusters of like size, quick on many rows"),
        ("gaussian_mixture", "clusters of any ellipse and size, with a probability of belonging"),
        ("hdbscan", "crowds of any shape, and rows that belong to none"),
    ),
    Task.ANOMALY_DETECTION: (
        ("isolation_forest", "rows that few random cuts part from the rest, quick on many rows"),
        ("random_cut_forest", "the same with cuts by the columns' ranges: notes rows that are unusual in few columns"),
    ),
    Task.ASSOCIATION_RULES: (("frequent_item_sets", "all sets of items often bought together, and their rules"),),
}  # fmt: skip


def frame_unlabelled(
    table: Table, task: Task, because: str, business: BusinessProblem, *, target: str | None, metric: str | None
) -> ProblemFraming:
    """Frame a task that learns without a label; a target is used to measure anomalies by, and nothing else.

    Raises `DataError` for too few rows, `OptionError` for a target or metric that does not fit, and `CharterError` for
    such a KPI.
    """
    words = str(task).replace("_", " ")
    if target is not None and task is not Task.ANOMALY_DETECTION:
        raise OptionError(
            f"{words} learns without a target, and '{target}' is given as one; leave --target out"
            f"{'' if task is Task.ASSOCIATION_RULES else f', and pass --exclude {target} to keep the column out of it'}"
        )
    if metric is not None:
        raise OptionError(f"--metric {metric} judges predictions of a label, and {words} has none; leave it out")
    for kpi in business.charter.kpis:
        if kpi.metric not in UNLABELLED or task not in UNLABELLED[kpi.metric].tasks:
            known = ", ".join(name for name, known in UNLABELLED.items() if task in known.tasks)
            raise CharterError(f"the charter's KPI '{kpi.metric}' does not judge {words}; use one of {known}")
    rows = table.frame.height
    if rows < FEWEST_ROWS:
        counted = "1 row" if rows == 1 else f"{rows} rows"
        raise DataError(
            f"the table has {counted}; {words} needs at least {FEWEST_ROWS}, and some hundreds to be of use"
        )
    judged = UNLABELLED[_METRIC[task]]
    evidence = [f"The task is {words}: {because}.", f"Choices are made by {judged.title}: {judged.meaning}."]
    if target is not None:
        evidence.append(f"'{target}' is not learnt from: the result is measured by it.")
    return ProblemFraming(
        task=task,
        evidence=tuple(evidence),
        target=target or "",
        observations=rows,
        unlabelled=0,
        features=tuple(name for name in table.frame.columns if name != target),
        classes=(),
        positive_class=None,
        metric=_METRIC[task],
        baseline=_BASELINE[task],
        shortlist=_SHORTLIST[task],
    )
