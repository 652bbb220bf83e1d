"""What bad tables do, on 1,500 rows of telco_churn: refused in a sentence that names the column, or handled and said."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.errors import HeadraceError, InputError

TELCO = Path(__file__).parents[2] / "examples/telco_churn.csv"
ROWS = 1_500
EVERY = pl.int_range(pl.len())


@pytest.fixture(scope="module")
def telco() -> pl.DataFrame:
    """The whole table in random order, as text."""
    table = pl.read_csv(TELCO, infer_schema=False)
    return table[np.random.default_rng(0).permutation(table.height)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run the main job with one candidate into a new folder."""
    import headrace

    def start(table: Any, target: str = "Churn") -> Any:
        return headrace.run(table, target, trials=1, out=tmp_path_factory.mktemp("out") / "result")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield start


def written(name: str, content: bytes) -> Callable[[pl.DataFrame, Path], Path]:
    def write(_: pl.DataFrame, folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def twice(table: pl.DataFrame, folder: Path) -> Path:
    head, _, rest = table.write_csv().partition("\n")
    (folder / "table.csv").write_text(f"{head.replace('gender', 'tenure')}\n{rest}")
    return folder / "table.csv"


def bomb(_: pl.DataFrame, folder: Path) -> Path:
    (folder / "table.csv.gz").write_bytes(gzip.compress(b"0" * 80_000_000))
    return folder / "table.csv.gz"


REFUSED: dict[str, tuple[Callable[[pl.DataFrame, Path], Any], str]] = {
    "target absent": (lambda table, _: table.drop("Churn"), "'Churn'"),
    "target missing everywhere": (lambda table, _: table.with_columns(Churn=pl.lit("")), "'Churn' is missing in all"),
    "one class": (lambda table, _: table.filter(pl.col("Churn") == "No"), "'Churn' has the single value 'No'"),
    "duplicate column names": (twice, "tenure"),
    "one row": (lambda table, _: table.head(1), "only 1 row has a label in the target column 'Churn'"),
    "no row": (lambda table, _: table.head(0), "no rows"),
    "zip bomb": (bomb, "decompression bombs"),
    "a path with .. that leads nowhere": (lambda _, folder: folder / ".." / ".." / "none.csv", "none.csv"),
    "a wrong encoding": (written("table.csv", bytes(range(256)) * 40), "table.csv"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_learnt_is_refused_with_one_sentence(telco: Any, run: Any, tmp_path: Path, case: str) -> None:
    make, said = REFUSED[case]
    with pytest.raises(HeadraceError) as refused:
        run(make(telco.head(ROWS), tmp_path))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def spoilt(telco: Any, run: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One run on rows with missing targets, mixed types, infinities, Latin-1 and an identifier that leaks."""
    rng = np.random.default_rng(1)
    yes = (telco["Churn"][:ROWS] == "Yes").to_numpy()
    keys = np.where(yes, 7_000_000, 1_000_000) + rng.choice(900_000, ROWS, replace=False)
    table = telco.head(ROWS).with_columns(
        Reference=pl.Series(keys.astype(str)),
        Churn=pl.when(EVERY % 25 == 3).then(pl.lit("")).otherwise(pl.col("Churn")),
        tenure=pl.when(EVERY % 40 == 0).then(pl.lit("a while")).otherwise(pl.col("tenure")),
        MonthlyCharges=pl.when(EVERY % 50 == 7).then(pl.lit("inf")).otherwise(pl.col("MonthlyCharges")),
        PaymentMethod=pl.col("PaymentMethod").str.replace("Mailed check", "Chèque"),
    )
    path = tmp_path_factory.mktemp("latin") / "table.csv"
    path.write_bytes(table.write_csv().encode("latin-1"))
    return run(path)


def cleaned(record: Any, action: str) -> dict[str | None, int]:
    return {row["column"]: row["count"] for row in record.document["cleaning"] if row["action"] == action}


def test_rows_without_a_target_are_dropped_and_counted(spoilt: Any) -> None:
    assert cleaned(spoilt, "rows without a label dropped") == {None: ROWS // 25}


def test_mixed_types_become_missing_in_the_column_that_is_named(spoilt: Any) -> None:
    named = cleaned(spoilt, "unreadable values made missing") | cleaned(spoilt, "disguised missing values")
    assert named["tenure"] >= 30


def test_infinities_become_missing_in_the_column_that_is_named(spoilt: Any) -> None:
    assert cleaned(spoilt, "unreadable values made missing")["MonthlyCharges"] >= 28


def test_latin_1_is_found_out_and_said(spoilt: Any) -> None:
    read = next(check for check in spoilt.document["readiness"] if check["name"] == "accessibility")
    assert any("decoded as Windows-1252" in line for line in read["evidence"])


def test_an_identifier_that_leaks_is_set_aside_with_both_scores(spoilt: Any) -> None:
    (leak,) = (row for row in spoilt.document["steps"]["datasets"]["leaks"] if row["column"] == "Reference")
    assert leak["action"] == "set aside"
    assert leak["score"] > 0.99 > 0.9 > leak["score_without"]


def test_serving_is_as_good_as_the_test_part_said(spoilt: Any, telco: Any) -> None:
    from headrace.ml.contract import Task
    from headrace.ml.metrics import find_metric

    new = telco.tail(-ROWS)
    fresh = np.random.default_rng(2).choice(9_000_000, new.height, replace=False)
    answers = spoilt.model().predict(new.with_columns(Reference=pl.Series(fresh.astype(str))), proba=True)
    probabilities = answers.select("probability_No", "probability_Yes").to_numpy()
    auc = find_metric("roc_auc", Task.BINARY).score((new["Churn"] == "Yes").to_numpy().astype(np.int64), probabilities)
    assert auc >= 0.80


def test_an_unseen_category_costs_little_and_is_said(spoilt: Any, telco: Any) -> None:
    from headrace.ml.contract import Task
    from headrace.ml.metrics import find_metric

    new = telco.tail(1_000).with_columns(PaymentMethod=pl.lit("by pigeon"))
    model = spoilt.model()
    probabilities = model.predict(new, proba=True).select("probability_No", "probability_Yes").to_numpy()
    auc = find_metric("roc_auc", Task.BINARY).score((new["Churn"] == "Yes").to_numpy().astype(np.int64), probabilities)
    assert auc >= 0.75
    assert any("'PaymentMethod'" in note and "by pigeon" in note for note in model.notes)


def test_a_missing_column_is_named(spoilt: Any, telco: Any) -> None:
    with pytest.raises(InputError, match="Contract"):
        spoilt.model().predict(telco.head(5).drop("Contract"))


def test_text_where_a_number_was_is_named_with_its_value(spoilt: Any, telco: Any) -> None:
    with pytest.raises(InputError, match=r"TotalCharges.*plenty"):
        spoilt.model().predict(telco.head(5).with_columns(TotalCharges=pl.lit("plenty")))


def test_ten_rows_end_in_no_go_which_says_why(telco: Any, run: Any) -> None:
    ten = pl.concat([telco.filter(pl.col("Churn") == answer).head(5) for answer in ("Yes", "No")])
    record = run(ten)
    assert record.decision == "no-go"
    assert any("so few rows" in reason for reason in record.document["reasons"])
