"""Impact scores as AWS's export has them."""

import numpy as np
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.panel import Panel
from headrace.server.operations.forecasting.explainability.scores import by_attribute, score_table


@pytest.fixture
def panel() -> Panel:
    """Return two items whose histories end before 2024-01-03."""
    first = int(Frequency("D").ordinals(np.array(["2024-01-01"], "datetime64[s]"))[0])
    return Panel(
        Frequency("D"), (("bread",), ("milk",)), ("item_id",), np.array([first, first]), np.array([0, 2, 4]), np.ones(4)
    )


CONTRIBUTIONS = {
    "price": np.array([[-2.0, -4.0], [1.0, 0.0]]),
    "kind=a": np.array([[0.5, 0.5], [1.0, 1.0]]),
    "kind=b": np.array([[0.5, 0.5], [1.0, 1.0]]),
    "holidays": np.zeros((2, 2)),
    "lags": np.ones((2, 2)),
}


def test_contributions_are_gathered_by_fields_of_the_datasets() -> None:
    found = by_attribute(CONTRIBUTIONS, ["price", "kind", "holidays"], "DE")
    assert list(found) == ["price", "kind", "Holiday_DE"]
    assert found["kind"].tolist() == [[1.0, 1.0], [2.0, 2.0]]


def test_scores_of_all_of_each_series_and_of_each_step(panel: Panel) -> None:
    found = by_attribute(CONTRIBUTIONS, ["price", "kind"], None)
    table = score_table(panel, found, items=[1, 0], steps=[0, 1], each_step=True)
    assert table.columns == [
        "item_id", "timestamp", "price-RawImpactScore", "price-NormalizedImpactScore", "kind-RawImpactScore",
        "kind-NormalizedImpactScore",
    ]  # fmt: skip
    rows = table.rows()
    assert rows[0] == ("Aggregate", "Aggregate", None, pytest.approx(-1.25 / 1.5), None, 1.0)
    assert rows[1] == ("milk", "Aggregate", 0.5, pytest.approx(0.5 / 3), 2.0, pytest.approx(2 / 3))
    assert rows[2] == ("bread", "Aggregate", -3.0, -1.0, 1.0, pytest.approx(1 / 3))
    assert [row[:3] for row in rows[3:]] == [
        ("milk", "2024-01-03T00:00:00", 1.0), ("milk", "2024-01-04T00:00:00", 0.0),
        ("bread", "2024-01-03T00:00:00", -2.0), ("bread", "2024-01-04T00:00:00", -4.0),
    ]  # fmt: skip
    assert len(score_table(panel, found, items=[], steps=[0], each_step=False)) == 1
