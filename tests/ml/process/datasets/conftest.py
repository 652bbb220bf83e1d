"""Small tables, framed and developed as the process does it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.process.business_problem import BusinessProblem, Charter
from headrace.ml.process.datasets import Dataset, develop_datasets
from headrace.ml.process.problem_framing import frame_problem
from headrace.ml.tables.table import Table


def as_table(frame: pl.DataFrame, source: str = "memory") -> Table:
    return Table(frame, np.arange(1, frame.height + 1), source, "csv")


def develop_frame(
    frame: pl.DataFrame,
    target: str,
    *,
    test: pl.DataFrame | None = None,
    charter: Charter | None = None,
    **options: Any,
) -> Dataset:
    business = BusinessProblem(charter or Charter(), (), "use ml", ())
    table = as_table(frame, options.pop("source", "memory"))
    framing = frame_problem(table, target, business, task=options.pop("task", None))
    return develop_datasets(table, business, framing, test=None if test is None else as_table(test), **options)


@pytest.fixture
def develop() -> Callable[..., Dataset]:
    return develop_frame


@pytest.fixture
def people() -> pl.DataFrame:
    """200 rows of raw text with a yes/no target, personal columns and much that must not be learnt from."""
    generator = np.random.default_rng(0)
    rows = 200
    age = generator.integers(18, 80, rows)
    answer = np.where(age + generator.normal(0, 15, rows) > 50, "yes", "no")
    return pl.DataFrame(
        {
            "row": [str(i + 1) for i in range(rows)],
            "customer": [f"C{i * 7919 % 10007:05d}" for i in range(rows)],
            "age": age.astype(str),
            "gender": generator.choice(["f", "m"], rows),
            "city": generator.choice(["Bern", "Basel", "Chur", "?"], rows),
            "email": [f"person{i}@example.org" for i in range(rows)],
            "empty": [""] * rows,
            "same": ["x"] * rows,
            "answer_code": np.where(answer == "yes", "Y", "N"),
            "answer": answer,
        }
    )
