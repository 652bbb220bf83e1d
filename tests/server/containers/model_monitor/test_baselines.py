"""Baselines: statistics and constraints of datasets in each format, and what can't be analysed."""

import io
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from headrace.server.containers.model_monitor import Analysis, AnalysisFailed

CSV = {"csv": {"header": True}}


def test_statistics_and_constraints_are_as_documented(run: Callable[..., Analysis], read: Callable[[str], Any]) -> None:
    rows = "".join(f"{number},{'red' if number % 4 else 'blue'}\n" for number in range(-1, 99))
    done = run(CSV, {"a.csv": f"age,colour,empty\n{rows.replace(chr(10), ',' + chr(10))}"})
    assert done == Analysis("Completed: Job completed successfully with no violations.")
    statistics, constraints = read("statistics"), read("constraints")
    assert (statistics["version"], statistics["dataset"]) == (0.0, {"item_count": 100})
    age, colour, empty = statistics["features"]
    numbers = age.pop("numerical_statistics")
    assert age == {"name": "age", "inferred_type": "Integral"}
    kll = numbers.pop("distribution")["kll"]
    assert numbers == {
        "common": {"num_present": 100, "num_missing": 0},
        "mean": 48.5,
        "sum": 4850.0,
        "std_dev": pytest.approx(28.86607),
        "min": -1.0,
        "max": 98.0,
    }
    assert len(kll["buckets"]) == 10
    assert kll["buckets"][0] == {"lower_bound": -1.0, "upper_bound": pytest.approx(8.9), "count": 10.0}
    assert kll["sketch"]["parameters"] == {"c": 0.64, "k": 2048.0}
    assert len(kll["sketch"]["data"][0]) == 100
    assert colour["string_statistics"] == {
        "common": {"num_present": 100, "num_missing": 0},
        "distinct_count": 2.0,
        "distribution": {"categorical": {"buckets": [{"value": "red", "count": 75}, {"value": "blue", "count": 25}]}},
    }
    assert (empty["inferred_type"], empty["string_statistics"]["common"]["num_missing"]) == ("Unknown", 100)
    assert constraints["features"] == [
        {
            "name": "age",
            "inferred_type": "Integral",
            "completeness": 1.0,
            "num_constraints": {"is_non_negative": False},
        },
        {
            "name": "colour",
            "inferred_type": "String",
            "completeness": 1.0,
            "string_constraints": {"domains": ["red", "blue"]},
        },
        {"name": "empty", "inferred_type": "Unknown", "completeness": 0.0},
    ]
    assert constraints["monitoring_config"] == {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.1,
            "comparison_method": "Robust",
            "categorical_comparison_threshold": 0.1,
            "categorical_drift_method": "LInfinity",
        },
    }


def names(read: Callable[[str], Any]) -> list[tuple[str, str]]:
    return [(each["name"], each["inferred_type"]) for each in read("statistics")["features"]]


def test_columns_without_a_header_are_named_by_their_position(
    run: Callable[..., Analysis], read: Callable[[str], Any]
) -> None:
    run({"csv": {"header": False, "output_columns_position": "START"}}, {"a.csv": "1,x\n", "b.csv": "2,y\n"})
    assert names(read) == [("_c0", "Integral"), ("_c1", "String")]
    assert read("statistics")["dataset"]["item_count"] == 2


def test_blank_lines_are_no_rows_and_empty_quotes_no_value(
    run: Callable[..., Analysis], read: Callable[[str], Any]
) -> None:
    run(CSV, {"a.csv": b'\xef\xbb\xbfa,b\r\n1,"x, ""y"""\r\n\r\n"",z\r\n\r\n'})
    assert names(read) == [("a", "Integral"), ("b", "String")]
    assert read("statistics")["dataset"]["item_count"] == 2
    assert read("constraints")["features"][0]["completeness"] == 0.5


def test_json_lines_may_nest_and_leave_out(run: Callable[..., Analysis], read: Callable[[str], Any]) -> None:
    run({"json": {"lines": True}}, {"a.json": '{"a": 1, "b": {"c": 0.5}}\n\n{"a": null, "d": true}\n'})
    assert names(read) == [("a", "Integral"), ("b.c", "Fractional"), ("d", "String")]


def test_parquet_is_read(run: Callable[..., Analysis], read: Callable[[str], Any]) -> None:
    content = io.BytesIO()
    pl.DataFrame({"a": [1, 2], "b": ["x", None]}).write_parquet(content)
    run({"parquet": {}}, {"a.parquet": content.getvalue()})
    assert names(read) == [("a", "Integral"), ("b", "String")]


def test_the_way_to_tell_drift_of_categories_is_chosen(
    run: Callable[..., Analysis], read: Callable[[str], Any]
) -> None:
    run(CSV, {"a.csv": "a\nx\n"}, categorical_drift_method="ChiSquared")
    config = read("constraints")["monitoring_config"]
    assert config["distribution_constraints"]["categorical_drift_method"] == "ChiSquared"


@pytest.mark.parametrize(
    ("form", "files", "sentence"),
    [
        (CSV, {}, "there is no file under /opt/ml/processing/input"),
        (CSV, {"a.csv": ""}, "the dataset under /opt/ml/processing/input has no rows"),
        (CSV, {"a.csv": "a,b\n"}, "has no rows; give at least one"),
        (CSV, {"a.csv": "a,b\n1,2,3\n"}, r"a\.csv is no CSV table"),
        (CSV, {"a.csv": b"a\n\xff\xfe\n"}, r"a\.csv is no CSV table"),
        (CSV, {"a.csv": "a\n1\n", "b.csv": "a,b\n1,2\n"}, r"have different columns \(1: a; 2: a, b\)"),
        ({"json": {"lines": True}}, {"a.json": "{\n"}, r"line 1 of a\.json is no JSON"),
        ({"json": {"lines": True}}, {"a.json": "[1]\n"}, r"line 1 of a\.json holds \[1\], which is no JSON object"),
        ({"json": {"lines": True}}, {"a.json": '{"a": [1]}\n'}, "the value of 'a' is a list, and only flat JSON"),
        ({"json": {"lines": True}}, {"a.json": '{"a":' * 900 + "1" + "}" * 900}, "is nested more than 50 deep"),
        ({"json": {"lines": True}}, {"a.json": '{"a":' * 90_000}, r"line 1 of a\.json is no JSON"),
        ({"parquet": {}}, {"a.parquet": "no"}, r"a\.parquet is no flat Parquet table"),
        ({"xml": {}}, {"a": "1"}, "the dataset_format .* is none; write"),
        ("csv", {"a": "1"}, "the dataset_format 'csv' is none; write"),
        ("[]", {"a": "1"}, "is none; write"),
    ],
)  # fmt: skip
def test_what_is_no_dataset_is_refused(
    run: Callable[..., Analysis], form: Any, files: dict[str, bytes | str], sentence: str
) -> None:
    with pytest.raises(AnalysisFailed, match=sentence):
        run(form, files)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"record_preprocessor_script": "/opt/ml/x.py"}, "this analyzer runs no scripts of users"),
        ({"post_analytics_processor_script": "/opt/ml/x.py"}, "this analyzer runs no scripts of users"),
        ({"analysis_type": "MODEL_QUALITY"}, "the analysis_type MODEL_QUALITY is not built here"),
        ({"publish_cloudwatch_metrics": "Enabled"}, "only for jobs from MonitoringSchedules"),
        ({"dataset_source": "/etc"}, "the path '/etc' is not below /opt/ml/processing"),
        ({"output_path": "/opt/ml/processing/../../x"}, "is not below /opt/ml/processing"),
        ({"output_path": ""}, "the variable output_path is missing in Environment"),
        ({"categorical_drift_method": "Guess"}, "the categorical_drift_method 'Guess' is none"),
        ({"baseline_constraints": "/opt/ml/processing/x.json"}, r"the baseline file x\.json is not there, or no JSON"),
    ],
)
def test_bad_variables_are_refused(run: Callable[..., Analysis], variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(AnalysisFailed, match=sentence):
        run(CSV, {"a.csv": "a\n1\n"}, **variables)
