"""Violations: each documented check, on captured data and on datasets, and the settings of constraints.json."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.server.containers.model_monitor import Analysis, AnalysisFailed, MetricSet

CSV = {"csv": {"header": True}}
CAPTURE = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}
BASELINE = "answer,age,plan\n" + "".join(
    f"{number % 2},{number / 10},{'basic' if number % 3 else 'gold'}\n" for number in range(300)
)


def kinds(violations: list[dict[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in violations:
        found.setdefault(each["constraint_check_type"], []).append(each["feature_name"])
    return found


def test_the_data_of_the_baseline_violates_nothing(
    against: Callable[..., Any], line: Callable[..., str], read: Callable[[str], Any]
) -> None:
    rows = [row.split(",", 1) for row in BASELINE.splitlines()[1:]]
    captured = "".join(line(given, answer) for answer, given in rows)
    assert against(BASELINE, CAPTURE, {"a.jsonl": captured}) == []
    assert [each["name"] for each in read("statistics")["features"]] == ["answer", "age", "plan"]


def test_each_check_finds_what_it_looks_for(against: Callable[..., Any], line: Callable[..., str]) -> None:
    rows = [("0.5", "many,basic"), ("1", ",basic"), *[("1", "29,silver")] * 98]
    found = against(BASELINE, CAPTURE, {"a.jsonl": "".join(line(given, answer) for answer, given in rows)})
    assert kinds(found) == {
        "data_type_check": ["answer", "age"],
        "completeness_check": ["age"],
        "categorical_values_check": ["plan"],
        "baseline_drift_check": ["answer", "age", "plan"],
    }
    assert found[0]["description"] == (
        "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. Observed: Only "
        "99.0% of data is Integral."
    )
    drift = next(each for each in found if each["constraint_check_type"] == "baseline_drift_check")
    assert drift["description"].startswith("Baseline drift distance: 0.2")


@pytest.mark.parametrize(
    ("row", "kind", "sentence"),
    [
        ("1,2", "missing_column_check", "columns in current dataset: 2, Number of columns in baseline constraints: 3"),
        ("1,2,gold,9", "extra_column_check", "columns in current dataset: 4, Number of columns in baseline"),
    ],
)
def test_other_columns_are_noticed(
    against: Callable[..., Any], line: Callable[..., str], row: str, kind: str, sentence: str
) -> None:
    answer, _, given = row.partition(",")
    (found,) = against(BASELINE, CAPTURE, {"a.jsonl": line(given, answer)})
    assert found["constraint_check_type"] == kind
    assert sentence in found["description"]


def test_columns_of_other_names_are_noticed(against: Callable[..., Any]) -> None:
    found = against(BASELINE, CSV, {"a.csv": BASELINE.replace("plan", "tariff", 1)})
    assert kinds(found) == {"missing_column_check": ["Missing columns"], "extra_column_check": ["Extra columns"]}


def test_named_columns_of_captured_data_keep_their_names(against: Callable[..., Any], line: Callable[..., str]) -> None:
    pair = line('{"age": 1, "plan": "gold"}', '{"score": 1}', "JSON", "application/json")
    found = against(BASELINE, CAPTURE, {"a.jsonl": pair})
    assert kinds(found) == {"missing_column_check": ["Missing columns"], "extra_column_check": ["Extra columns"]}


def disabled(name: str) -> Callable[[Any], None]:
    def change(constraints: Any) -> None:
        constraints["monitoring_config"][name] = "Disabled"

    return change


def loosened(constraints: Any) -> None:
    constraints["monitoring_config"]["distribution_constraints"]["comparison_threshold"] = 0.9
    constraints["features"][2]["monitoringConfigOverrides"] = {
        "distribution_constraints": {"perform_comparison": "Disabled"}
    }


def by_chi_squared(constraints: Any) -> None:
    constraints["monitoring_config"]["distribution_constraints"]["categorical_drift_method"] = "ChiSquared"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _: None, ["age", "plan"]),
        (disabled("evaluate_constraints"), []),
        (loosened, []),
        (by_chi_squared, ["age", "plan"]),
    ],
)
def test_constraints_say_what_is_evaluated(
    against: Callable[..., Any], change: Callable[[Any], None], expected: list[str]
) -> None:
    table = "answer,age,plan\n" + "".join(f"{number % 2},{number / 20},gold\n" for number in range(300))
    found = against(BASELINE, CSV, {"a.csv": table}, change)
    assert [each["feature_name"] for each in found] == expected


def test_json_is_joined_by_name(
    run: Callable[..., Analysis], read: Callable[[str], Any], line: Callable[..., str]
) -> None:
    pairs = [line('[{"a": 1}, {"a": 2}]', '[{"score": 0.5}, {"score": 0.25}]', "JSON", "application/json")]
    pairs.append(line('{"a": 3}\n', '{"score": 1}\n', "JSON", "application/jsonlines"))
    run(CAPTURE, {"a.jsonl": "".join(pairs)})
    assert [each["name"] for each in read("statistics")["features"]] == ["score", "a"]
    assert read("statistics")["dataset"]["item_count"] == 3


def test_many_rows_of_one_request_are_joined_with_their_answers(
    run: Callable[..., Analysis], read: Callable[[str], Any], line: Callable[..., str]
) -> None:
    encoded = [base64.b64encode(text).decode() for text in (b"1,2\n3,4", b"0.5\n0.25")]
    run(CAPTURE, {"a.jsonl": line("1,2\n3,4\n5,6", "0.1,0.2,0.3") + line(*encoded, "BASE64")})
    answer, first, _ = read("statistics")["features"]
    assert answer["numerical_statistics"]["sum"] == pytest.approx(1.35)
    assert first["numerical_statistics"]["sum"] == 13


def test_one_side_alone_can_be_analysed(
    run: Callable[..., Analysis], read: Callable[[str], Any], line: Callable[..., str]
) -> None:
    form = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput"]}}
    mixed = json.loads(line("1,2", '{"p": 1}'))
    mixed["captureData"]["endpointOutput"] |= {"encoding": "JSON", "observedContentType": "application/json"}
    run(form, {"a.jsonl": json.dumps(mixed)})
    assert [each["name"] for each in read("statistics")["features"]] == ["_c0", "_c1"]
    with pytest.raises(AnalysisFailed, match="Encoding is CSV for endpointInput, but Encoding is JSON for endpointOu"):
        run(CAPTURE, {"a.jsonl": json.dumps(mixed)})


def test_invocations_without_an_answer_are_left_out(
    run: Callable[..., Analysis], read: Callable[[str], Any], line: Callable[..., str]
) -> None:
    silent = json.loads(line("7,8", ""))
    silent["captureData"]["endpointOutput"] |= {"observedContentType": "", "encoding": "BASE64"}
    run(CAPTURE, {"a.jsonl": line("1,2", "0.5") + json.dumps(silent)})
    assert read("statistics")["dataset"]["item_count"] == 1


@pytest.mark.parametrize(
    ("captured", "sentence"),
    [
        ("no\n", r"line 1 of a\.jsonl is no JSON"),
        ("{}\n", r"line 1 of a\.jsonl has no captureData"),
        ('{"captureData": {}}\n', "has no endpointOutput and endpointInput; capture both"),
        ('{"captureData": {"endpointInput": 1}}\n', r"line 1 of a\.jsonl has no captureData"),
    ],
)
def test_what_is_not_captured_data_is_refused(run: Callable[..., Analysis], captured: str, sentence: str) -> None:
    with pytest.raises(AnalysisFailed, match=sentence):
        run(CAPTURE, {"a.jsonl": captured})


@pytest.mark.parametrize(
    ("given", "answer", "encoding", "kind", "sentence"),
    [
        ("1\n2\n3", "1\n2", "CSV", "text/csv", "output and input of line 1 of a.jsonl have 2 and 3 rows"),
        ("aGk=", "aGk=", "BASE64", "application/x-npy", "holds application/x-npy encoded as BASE64"),
        ("a", "aGk=", "BASE64", "text/csv", "line 1 of a.jsonl has data that is not BASE64"),
        ("x" * 140_000, "1", "CSV", "text/csv", "line 1 of a.jsonl holds no CSV: field larger"),
        ("no", "{}", "JSON", "application/json", "line 1 of a.jsonl is no JSON: 'no'"),
        ('{"instances": [[1]]}', "{}", "JSON", "application/json", "the value of 'instances' is a list"),
        ("[{},{}]", "{}", "JSON", "application/json", "have 1 and 2 records, which can't be joined"),
    ],
)  # fmt: skip
def test_captured_data_that_can_not_be_joined_is_refused(
    run: Callable[..., Analysis],
    line: Callable[..., str],
    given: str,
    answer: str,
    encoding: str,
    kind: str,
    sentence: str,
) -> None:
    with pytest.raises(AnalysisFailed, match=sentence):
        run(CAPTURE, {"a.jsonl": line(given, answer, encoding, kind)})


def test_metrics_are_told_to_a_schedule(run: Callable[..., Analysis], line: Callable[..., str]) -> None:
    given = {"publish_cloudwatch_metrics": "Enabled", "sagemaker_monitoring_schedule_name": "s"}
    done = run(CAPTURE, {"a.jsonl": line("x", "1") + line("", "3")}, **given)
    assert done.metrics == (
        MetricSet("feature_data__c0", 2.0, 4.0, 1.0, 3.0),
        MetricSet("feature_non_null__c0", 1.0, 1.0, 1.0, 1.0),
        MetricSet("feature_non_null__c1", 1.0, 0.5, 0.5, 0.5),
    )


def baseline(**config: Any) -> Any:
    return {"features": [{"name": "a", "inferred_type": "Integral"}], "monitoring_config": config}


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"features": [{"name": "a"}]},
        {"features": [{"name": "a", "inferred_type": "Text"}]},
        {"features": [{"name": "a", "inferred_type": "String", "completeness": "full"}]},
        baseline(datatype_check_threshold="high"),
        baseline(distribution_constraints=1),
    ],
)
def test_what_are_no_constraints_is_refused(run: Callable[..., Analysis], tmp_path: Path, document: Any) -> None:
    (tmp_path / "processing").mkdir()
    (tmp_path / "processing" / "c.json").write_text(json.dumps(document))
    with pytest.raises(AnalysisFailed, match=r"the baseline_constraints are no constraints\.json"):
        run(CSV, {"a.csv": "a\n1\n"}, baseline_constraints="/opt/ml/processing/c.json")


@pytest.mark.parametrize(
    "document", [[], {"features": [{"numerical_statistics": {"distribution": {"kll": {"sketch": 1}}}}]}]
)
def test_what_are_no_statistics_is_refused(run: Callable[..., Analysis], tmp_path: Path, document: Any) -> None:
    (tmp_path / "processing").mkdir()
    for name, content in (("c", baseline()), ("s", document)):
        (tmp_path / "processing" / f"{name}.json").write_text(json.dumps(content))
    place = "/opt/ml/processing"
    with pytest.raises(AnalysisFailed, match=r"the baseline_statistics are no statistics\.json"):
        run(CSV, {"a.csv": "a\n1\n"}, baseline_constraints=f"{place}/c.json", baseline_statistics=f"{place}/s.json")
