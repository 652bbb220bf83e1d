"""Charts: complete for each task, in words for everybody, and never with data inside an expression."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from headrace.ml.report.charts.gallery import charts_of
from headrace.ml.report.charts.specification import Chart

HOSTILE = "datum.x'] || alert(1) //{{7*7}}<b>\"\\"
COMMON = {"split-sizes", "relevance", "missing-share", "missing-map", "histogram-0", "target-0", "correlation-pearson", "correlation-spearman",
          "correlation-association", "scatter-0", "feature-gains", "candidates", "fold-scores", "weights", "learning-curve", "bias-variance",
          "importance", "explanation-0", "segments", "sensitive-groups", "kpi-0"}  # fmt: skip
OF_CLASSES = {"class-balance", "metrics", "roc", "precision-recall", "confusion-matrix", "calibration", "gain"}
EXPECTED = {
    "binary": COMMON | OF_CLASSES | {"profit", "policies", "profits", "trade-offs", "what-if"},
    "multiclass": COMMON | OF_CLASSES,
    "regression": COMMON | {"predicted-actual", "residuals", "residual-histogram", "target", "errors-0"},
}


def all_charts(document: dict[str, Any]) -> list[Chart]:
    return [chart for place in charts_of(document).values() for chart in place]


def walk(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from walk(inner, path)


@pytest.mark.parametrize("task", EXPECTED)
def test_every_subject_is_drawn(make_document: Any, task: str) -> None:
    charts = all_charts(make_document(task))
    identifiers = [c.identifier for c in charts]
    assert len(set(identifiers)) == len(identifiers)
    assert set(identifiers) >= EXPECTED[task]
    for chart in charts:
        assert chart.reading.rstrip().endswith(".")
        assert 15 < len(chart.reading) < 260
        assert json.loads(json.dumps(chart.spec, allow_nan=False))["width"] == "container"


@pytest.mark.parametrize("task", EXPECTED)
def test_data_stand_in_values_and_titles_only(make_document: Any, task: str) -> None:
    for chart in all_charts(make_document(task, HOSTILE)):
        for path, value in walk(chart.spec):
            assert HOSTILE not in path
            if isinstance(value, str) and HOSTILE in value:
                assert "values" in path or path[-1] in ("description", "title"), (chart.identifier, path)
                assert "tooltip" not in path
        fields = {value for path, value in walk(chart.spec) if path[-1:] == ("field",) and "values" not in path}
        assert all(field.replace("_", "").isalnum() for field in fields)


def test_the_chosen_threshold_is_ruled(make_document: Any) -> None:
    profit = next(c for c in all_charts(make_document()) if c.identifier == "profit")
    placed = [layer["data"]["values"][0] for layer in profit.spec["layer"] if "data" in layer]
    assert next(value["at"] for value in placed if "at" in value) == 0.31
    assert placed[0] == {"low": 0.27, "high": 0.36}


def test_sliders_start_at_the_charters_money(make_document: Any) -> None:
    what_if = next(c for c in all_charts(make_document()) if c.identifier == "what-if")
    assert {each["name"]: each["value"] for each in what_if.spec["params"]} == {"missed": 0, "alarm": 60, "gained": 340}
    assert all(each["bind"]["min"] <= each["value"] <= each["bind"]["max"] for each in what_if.spec["params"])
    assert all(
        value["hits"] + value["alarms"] == pytest.approx(value["share"]) for value in what_if.spec["data"]["values"]
    )


def test_missing_columns_of_a_correlation_are_left_out(make_document: Any) -> None:
    charts = {c.identifier: c for c in all_charts(make_document())}
    assert len(charts["correlation-pearson"].spec["data"]["values"]) == 9
    assert len(charts["correlation-association"].spec["data"]["values"]) == 25


def test_personal_columns_are_not_drawn(make_document: Any) -> None:
    text = json.dumps([c.spec for c in all_charts(make_document())])
    assert "ann@example.com" not in text
    assert "(personal: hidden)" in text
