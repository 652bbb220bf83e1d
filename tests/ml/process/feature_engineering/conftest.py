"""A small table with every kind of column, and what is needed to fit plans on it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import View
from headrace.ml.process.feature_engineering.fitting import Family, fit_plan
from headrace.ml.process.feature_engineering.plan import FittedPlan
from headrace.ml.tables.columns import Column, ColumnKind

ROWS = 300

COLUMNS = (
    Column("size", ColumnKind.NUMBER),
    Column("price", ColumnKind.NUMBER),
    Column("identifier", ColumnKind.NUMBER),
    Column("signed up", ColumnKind.DATE),
    Column("cancelled", ColumnKind.DATE),
    Column("colour", ColumnKind.CATEGORY),
    Column("shop", ColumnKind.CATEGORY),
    Column("remark", ColumnKind.TEXT),
)

EVERYTHING = (
    Family("target encodings", View.TREES),
    Family("frequencies", View.TREES),
    Family("one-hot", View.TREES),
    Family("missing count", View.TREES),
    Family(
        "number pairs",
        View.TREES,
        (
            ("ratio", "size", "price"),
            ("sum", "size", "price"),
            ("product", "price", "identifier"),
            ("ratio", "price", "size"),
        ),
    ),
    Family("category pairs", View.TREES, (("pair", "colour", "shop"),)),
    Family("powers", View.SCALED),
    Family("bins", View.SCALED),
    Family("products", View.SCALED, (("product", "size", "size"), ("product", "size", "price"))),
    Family("category pairs", View.SCALED, (("pair", "shop", "colour"),)),
)


def make_frame(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    size = random.lognormal(3, 1, rows)
    size[random.random(rows) < 0.1] = np.nan
    words = np.array(["late", "broken", "good", "very", "cheap"])
    price = np.where(random.random(rows) < 0.05, np.nan, random.normal(100, 20, rows))
    return pl.DataFrame(
        {
            "size": pl.Series(size).fill_nan(None),
            "price": pl.Series(price).fill_nan(None),
            "identifier": 7e12 + random.integers(0, 1000, rows).astype(float),
            "signed up": random.integers(-(10**9), 17 * 10**8, rows).astype(float),
            "cancelled": pl.Series(random.uniform(1e9, 2e9, rows)),
            "colour": random.choice(["red", "green", "", "blé"], rows),
            "shop": [f"shop {i}" for i in random.integers(0, 60, rows)],
            "remark": [" ".join(random.choice(words, random.integers(0, 6))) for _ in range(rows)],
        }
    )


def make_target(frame: pl.DataFrame, classes: int) -> np.ndarray:
    score = frame["price"].fill_null(100).to_numpy() + 20 * (frame["colour"] == "red").to_numpy()
    if classes == 0:
        return score
    return np.searchsorted(np.quantile(score, np.arange(1, classes) / classes), score).astype(np.int64)


@pytest.fixture(scope="session")
def fit() -> Callable[..., tuple[FittedPlan, Any, pl.DataFrame, np.ndarray]]:
    """Fit a plan with every family on the small table: returns plan, matrices, frame and target."""

    def fitted(
        classes: int = 2, imputation: str = "median", **changes: Any
    ) -> tuple[FittedPlan, Any, pl.DataFrame, np.ndarray]:
        frame = changes.pop("frame", None)
        frame = make_frame() if frame is None else frame
        target = make_target(frame, classes)
        settings: dict[str, Any] = {
            "columns": COLUMNS,
            "families": EVERYTHING,
            "indicators": True,
            "views": list(View),
            "seed": 0,
        }
        plan, matrices = fit_plan(frame, target, classes=classes, imputation=imputation, **(settings | changes))
        return plan, matrices, frame, target

    return fitted
