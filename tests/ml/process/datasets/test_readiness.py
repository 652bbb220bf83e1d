"""The eight readiness checks."""

import numpy as np
import polars as pl
import pytest

from headrace.ml.process.datasets import Dataset
from headrace.ml.process.datasets.readiness import check_freshness

NAMES = [
    "availability",
    "accessibility",
    "privacy",
    "security",
    "relevance",
    "freshness",
    "representativeness",
    "lack of bias",
]


def checks(dataset: Dataset) -> dict[str, object]:
    return {check.name: check for check in dataset.readiness}


def test_there_are_eight_each_with_evidence(develop, people):
    dataset = develop(people, "answer")
    assert [check.name for check in dataset.readiness] == NAMES
    for check in dataset.readiness:
        assert check.status in {"pass", "warn", "fail", "unknown"}
        assert check.evidence
        assert check.advice or check.status in ("pass", "unknown")


def test_no_personal_value_appears(develop, people):
    shown = str(develop(people, "answer", sensitive=("email",)).readiness) + str(develop(people, "answer").notes)
    assert "@example.org" not in shown


def test_few_rows_fail_availability(develop, people):
    assert checks(develop(people.head(60), "answer"))["availability"].status == "fail"


def test_privacy_names_the_column(develop, people):
    privacy = checks(develop(people, "answer"))["privacy"]
    assert privacy.status == "warn"
    assert "'email': 100% of 200 sampled values hold email data; not learnt from" in privacy.evidence[0]


def test_secrets_fail_security(develop, people):
    keys = people.with_columns(note=pl.lit("AKIAIOSFODNN7EXAMPLE"))
    security = checks(develop(keys, "answer"))["security"]
    assert security.status == "fail"
    assert "AKIA" not in str(security)


def test_a_file_open_to_all_with_personal_data_is_warned_of(develop, people, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("x")
    path.chmod(0o644)
    assert checks(develop(people, "answer", source=str(path)))["security"].status == "warn"
    path.chmod(0o600)
    assert checks(develop(people, "answer", source=str(path)))["security"].status == "pass"


def test_leaks_are_told_by_relevance(develop, people):
    relevance = checks(develop(people, "answer"))["relevance"]
    assert relevance.status == "warn"
    assert any("'answer_code' was set aside: it leaks the target" in line for line in relevance.evidence)


def test_noise_fails_relevance(develop):
    generator = np.random.default_rng(4)
    frame = pl.DataFrame({"x": generator.normal(size=2000), "y": generator.permutation([0, 1] * 1000)})
    assert checks(develop(frame, "y"))["relevance"].status == "fail"


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (1.0, "was set aside: it leaks the target: the target is exactly the sum"),
        (2.0, "may leak the target: the target is exactly a weighted sum"),
    ],
)
def test_parts_beside_their_total_are_told(develop, weight, said):
    generator = np.random.default_rng(2)
    parts = generator.poisson(20, size=(300, 2)).astype(float)
    noise = generator.normal(size=300)
    total = parts[:, 0] + weight * parts[:, 1]
    frame = pl.DataFrame({"casual": parts[:, 0], "registered": parts[:, 1], "noise": noise, "total": total})
    evidence = checks(develop(frame, "total"))["relevance"].evidence
    flagged = [line for line in evidence if said in line]
    assert len(flagged) == 2
    assert not any("column 'noise'" in line for line in flagged)


@pytest.mark.parametrize(("days_later", "status"), [(5, "pass"), (400, "warn"), (-60, "warn")])
def test_freshness_goes_by_the_newest_time_stamp(develop, people, days_later, status):
    dated = people.with_columns(pl.Series("day", [f"2026-01-{1 + i % 28:02d}" for i in range(200)]))
    newest = 1_769_558_400.0  # 2026-01-28
    check = check_freshness(develop(dated, "answer"), None, now=newest + days_later * 86_400)
    assert check.status == status
    assert "2026-01-28" in check.evidence[0]


def test_freshness_is_unknown_without_dates(develop, people):
    assert checks(develop(people, "answer"))["freshness"].status == "unknown"


def test_drift_inside_the_file_is_noticed(develop, people):
    drifting = people.with_columns(level=pl.int_range(pl.len()) // 50 + pl.Series(np.arange(200) % 3))
    representativeness = checks(develop(drifting, "answer"))["representativeness"]
    assert representativeness.status == "warn"
    assert any(line.startswith("drift of 'level'") for line in representativeness.evidence)


def test_a_rare_class_fails_representativeness(develop, people):
    few = people.with_columns(answer=pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("no")).otherwise(pl.lit("yes")))
    assert checks(develop(few, "answer"))["representativeness"].status == "fail"


def test_bias_is_unknown_until_sensitive_columns_are_named(develop, people):
    check = checks(develop(people, "answer"))["lack of bias"]
    assert check.status == "unknown"
    assert "gender" in check.advice


def test_uneven_rates_are_told(develop, people):
    uneven = people.with_columns(gender=pl.when(pl.col("age").cast(int) > 50).then(pl.lit("m")).otherwise(pl.lit("f")))
    check = checks(develop(uneven, "answer", sensitive=("gender", "age")))["lack of bias"]
    assert check.status == "warn"
    assert len(check.evidence) == 2
    assert "ratio" in check.evidence[0]


def test_bias_of_a_number_is_told_in_standard_deviations(develop):
    generator = np.random.default_rng(3)
    groups = generator.choice(["a", "b"], 300)
    frame = pl.DataFrame(
        {"g": groups, "x": generator.normal(size=300), "y": generator.normal(size=300) + 3 * (groups == "a")}
    )
    check = checks(develop(frame, "y", sensitive=("g",)))["lack of bias"]
    assert check.status == "warn"
    assert "standard deviations" in check.evidence[0]


def test_a_date_written_with_the_label_is_suspicious(develop, people):
    late = people.with_columns(pl.Series("answer_date", [f"2026-01-{1 + i % 28:02d}" for i in range(200)]))
    evidence = checks(develop(late, "answer"))["relevance"].evidence
    assert any("'answer_date' may leak" in line for line in evidence)


def test_a_source_is_named_without_its_folder_or_password(develop, people):
    assert "/home" not in str(develop(people, "answer", source="/home/ada/people.csv").readiness)
    assert "hunter2" not in str(develop(people, "answer", source="postgresql://ada:hunter2@host/shop#people").readiness)
