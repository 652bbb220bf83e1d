"""A small table with its preparation, and running workers, for the tests of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.algorithms import find_algorithm
from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.metrics import default_metric
from headrace.ml.process.business_problem import BusinessProblem, Charter
from headrace.ml.process.feature_engineering import FeatureEngineering
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.progress import Progress
from headrace.ml.process.training.limits import Limits
from headrace.ml.process.training.pool import Workers
from headrace.ml.process.training.setting import Setting, count_classes
from headrace.ml.process.training.timetable import Timetable
from headrace.ml.tables.columns import Column, ColumnKind

QUICK = ("linear_logistic", "decision_tree")


@dataclass
class SteppedProgress(Progress):
    """A clock that only moves when a test moves it."""

    now: float = 0.0
    heard: list[str] = field(default_factory=list)

    def elapsed(self) -> float:
        return self.now


@dataclass
class Case:
    """The records of the steps before training."""

    preparation: Preparation
    framing: ProblemFraming
    business: BusinessProblem
    engineering: FeatureEngineering

    def setting(self, workers: Workers, workspace: Path, names: tuple[str, ...], **changes: Any) -> Setting:
        values: dict[str, Any] = {
            "preparation": self.preparation,
            "engineering": self.engineering,
            "metric": default_metric(self.preparation.task),
            "classes": count_classes(self.preparation, self.framing.classes),
            "algorithms": tuple(find_algorithm(name) for name in names),
            "limits": Limits(),
            "seed": 7,
            "workspace": workspace,
            "workers": workers,
            "timetable": Timetable(SteppedProgress(budget=None), 2),
        }
        return Setting(**(values | changes))


def build_case(
    task: Task = Task.BINARY,
    *,
    rows: int = 300,
    folds: int = 3,
    shortlist: tuple[str, ...] = QUICK,
    charter: Charter | None = None,
) -> Case:
    """Make a table whose target depends on a number and a category, with noise; folds=1 is a hold-out plan."""
    generator = np.random.default_rng(3)
    amount, size = generator.normal(size=rows), generator.normal(size=rows)
    kind = generator.choice(["a", "b", "c"], rows)
    signal = 2.0 * amount + (kind == "a") - size * (kind == "b") + generator.normal(scale=0.7, size=rows)
    classes: tuple[str, ...] = ()
    target: Any = signal
    if task is Task.BINARY:
        classes, target = ("no", "yes"), (signal > 0.3).astype(np.int64)
    elif task is Task.MULTICLASS:
        classes, target = ("low", "middle", "high"), np.digitize(signal, [-0.7, 1.0]).astype(np.int64)
    columns = (
        Column("amount", ColumnKind.NUMBER),
        Column("size", ColumnKind.NUMBER),
        Column("kind", ColumnKind.CATEGORY),
    )
    positions = np.arange(rows)
    test, validation, train = np.split(positions, [rows // 5, rows * 3 // 10])
    parts = np.array_split(train, folds) if folds > 1 else []
    preparation = Preparation(
        task=task,
        columns=columns,
        frame=pl.DataFrame({"amount": amount, "size": size, "kind": kind}),
        target=target,
        source_rows=positions + 1,
        train=train,
        validation=validation,
        test=test,
        folds=tuple((np.setdiff1d(train, part), part) for part in parts) or ((train, validation),),
        split="shuffled",
        cleaning=(),
        dropped={},
        imputation="median",
        indicators=False,
        imputation_scores={},
    )
    metric = default_metric(task).name
    pairs = tuple((name, "for the test") for name in shortlist)
    framing = ProblemFraming(
        task, (), "y", rows, 0, ("amount", "size", "kind"), classes, classes[-1] if classes else None, metric, "", pairs
    )
    business = BusinessProblem(charter or Charter(), (), "use ml", ())
    engineering = FeatureEngineering((), (), columns, len(classes) if task in CLASSIFICATION else 0)
    return Case(preparation, framing, business, engineering)


@pytest.fixture(scope="session")
def make_case() -> Callable[..., Case]:
    return build_case


@pytest.fixture(scope="session")
def progress_at() -> Callable[..., SteppedProgress]:
    return SteppedProgress


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="session")
def workers(workspace: Path) -> Iterator[Workers]:
    with Workers(
        workspace, count=2, modules=("sklearn.linear_model", "sklearn.tree", "onnxruntime", "headrace.ml.metrics")
    ) as started:
        yield started
