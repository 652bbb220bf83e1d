"""Related time series as they might be: which values change, and which stay."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.panel import Panel, Related
from headrace.server.operations.forecasting.what_if.transformations import replaced, transformed
from headrace.server.operations.training.channels import DataError


@pytest.fixture
def panel() -> Panel:
    """Return two items of two and three days from 2024-01-01 and -02 on, with prices known for two days more."""
    first = int(Frequency("D").ordinals(np.array(["2024-01-01"], "datetime64[s]"))[0])
    return Panel(
        frequency=Frequency("D"),
        items=(("bread", "north"), ("milk", "south")),
        dimensions=("item_id", "region"),
        start=np.array([first, first + 1]),
        offsets=np.array([0, 2, 5]),
        values=np.arange(5.0),
        related={"Price": Related(np.arange(1.0, 10.0))},
        metadata={"kind": ("baked", None), "size": np.array([1.0, 2.0])},
        horizon_known=2,
    )


def prices(panel: Panel) -> list[float]:
    return panel.related["Price"].values.tolist()


def rule(operation: str, value: float, *conditions: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "action": {"attribute_name": "price", "operation": operation, "value": value},
        "time_series_conditions": [
            {"attribute_name": name, "condition": condition, "attribute_value": text}
            for name, condition, text in conditions
        ],
    }


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule("MULTIPLY", 0.5)], [1, 2, 1.5, 2, 5, 6, 7, 4, 4.5]),
        ([rule("ADD", 1), rule("DIVIDE", 2)], [1, 2, 2, 2.5, 5, 6, 7, 4.5, 5]),
        ([rule("SUBTRACT", 1, ("item_id", "EQUALS", "milk"))], [1, 2, 3, 4, 5, 6, 7, 7, 8]),
        ([rule("SUBTRACT", 1, ("region", "NOT_EQUALS", "south"))], [1, 2, 2, 3, 5, 6, 7, 8, 9]),
        ([rule("ADD", 1, ("kind", "EQUALS", "baked"), ("price", "GREATER_THAN", "3"))], [1, 2, 3, 5, 5, 6, 7, 8, 9]),
        ([rule("ADD", 1, ("size", "LESS_THAN", "2"))], [1, 2, 4, 5, 5, 6, 7, 8, 9]),
        ([rule("ADD", 1, ("timestamp", "GREATER_THAN", "2024-01-04"))], [1, 2, 3, 4, 5, 6, 7, 9, 10]),
        ([rule("ADD", 1, ("timestamp", "LESS_THAN", "2024-01-04 00:00:00"))], [1, 2, 4, 4, 5, 6, 7, 8, 9]),
    ],
)
def test_only_what_is_ahead_and_meets_all_conditions_changes(
    panel: Panel, rules: list[dict[str, Any]], expected: list[float]
) -> None:
    before = prices(panel)
    assert prices(transformed(panel, rules)) == expected
    assert prices(panel) == before


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (("colour", "EQUALS", "red"), "names 'colour', which is none of item_id, region, kind, size, Price, timestamp"),
        (("item_id", "LESS_THAN", "milk"), "compares labels with 'milk' by LESS_THAN"),
        (("size", "EQUALS", "big"), "compares 'size', which is a number, with 'big'"),
        (("timestamp", "EQUALS", "monday"), "'monday' is no date"),
    ],
)
def test_conditions_that_mean_nothing(panel: Panel, condition: tuple[str, str, str], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        transformed(panel, [rule("ADD", 1, condition)])


def test_rows_of_a_replacement_take_the_place_of_those_of_the_data(panel: Panel) -> None:
    table = pl.DataFrame(
        {
            "item_id": ["milk", "milk", "milk", "bread", "tea"],
            "region": ["south", "south", "south", "east", "north"],
            "timestamp": pl.Series(
                ["2024-01-04", "2024-01-05", "2024-02-01", "2024-01-03", "2024-01-03"]
            ).str.to_date(),
            "price": [70, None, 90, 1, 1],
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("us")))
    changed, items = replaced(panel, table, "timestamp", ["price"])
    assert items == [1]
    assert prices(changed) == [1, 2, 3, 4, 5, 6, 70, 8, 9]
    with pytest.raises(DataError, match="None of the time series of the replacement is in the data"):
        replaced(panel, table.filter(pl.col("item_id") == "tea"), "timestamp", ["price"])
