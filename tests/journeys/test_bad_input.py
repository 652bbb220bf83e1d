"""Bad tables, options and charters at the command line: one clear sentence, exit code 2, nothing left behind."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from .conftest import Command, churn_table

Writer = Callable[[Path], object]


def text(content: str | bytes) -> Writer:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def changed(**columns: pl.Expr) -> Writer:
    return lambda path: churn_table().with_columns(**columns).write_csv(path)


def infinite_target(path: Path) -> None:
    value = pl.when(pl.int_range(pl.len()) == 5).then(float("inf")).otherwise(pl.col("tenure") * 1.5)
    churn_table().with_columns(churn=value).write_csv(path)


REFUSED: dict[str, tuple[Writer, tuple[str, ...], str]] = {
    "missing file": (lambda path: None, (), "table.csv"),
    "empty file": (text(""), (), "empty"),
    "header only": (text("a,b,churn\n"), (), "row"),
    "one row": (text("a,b,churn\n1,2,yes\n"), (), "row"),
    "binary junk": (text(bytes(range(256)) * 20), (), "table.csv"),
    "target absent": (changed(), ("--target", "chrun"), "churn"),
    "target all missing": (changed(churn=pl.lit(None, pl.String)), (), "churn"),
    "single class": (changed(churn=pl.lit("yes")), (), "churn"),
    "text for regression": (changed(), ("--task", "regression"), "churn"),
    "infinite target": (infinite_target, ("--task", "regression"), "churn"),
    "duplicate columns": (text("a,a,churn\n" + "1,2,yes\n2,1,no\n" * 30), (), "a"),
    "unknown task": (changed(), ("--task", "magic"), "magic"),
    "task not built": (changed(), ("--task", "recommendation"), "not built"),
    "unknown metric": (changed(), ("--metric", "roc_auk"), "roc_auc"),
    "unknown excluded column": (changed(), ("--exclude", "tenur"), "tenure"),
    "unknown time column": (changed(), ("--time", "date"), "date"),
    "bad budget": (changed(), ("--budget", "soon"), "soon"),
    "short budget": (changed(), ("--budget", "1s"), "10s"),
    "no trials": (changed(), ("--trials", "0"), "0"),
    "missing charter": (changed(), ("--charter", "nowhere.yaml"), "nowhere.yaml"),
    "missing test table": (changed(), ("--test", "nowhere.csv"), "nowhere.csv"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_with_one_sentence(headrace: Command, tmp_path: Path, case: str) -> None:
    write, options, said = REFUSED[case]
    write(tmp_path / "table.csv")
    target = () if "--target" in options else ("--target", "churn")
    limit = () if {"--budget", "--trials"} & set(options) else ("--trials", "1")
    result = headrace("run", "table.csv", *target, *limit, *options, "--out", "result", "-q")
    assert result.returncode == 2, result.stderr
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert {p.name for p in tmp_path.iterdir()} <= {"table.csv", "state"}


@pytest.mark.parametrize(
    ("charter", "said"),
    [
        ("problme: x\n", "problem"),
        ("decisions: {true_positive: {costs: -5}}\n", "costs"),
        ("kpis: [{metric: roc_auk, minimum: 0.8}]\n", "roc_auc"),
        ("kpis: [{metric: roc_auc}]\n", "minimum or maximum"),
        ("- a\n- b\n", "charter.yaml"),
        ("a: [1\n", "charter.yaml"),
        ("positive_class: maybe\n", "maybe"),
    ],
)
def test_a_bad_charter_is_refused(headrace: Command, churn_csv: Path, tmp_path: Path, charter: str, said: str) -> None:
    (tmp_path / "charter.yaml").write_text(charter)
    result = headrace("run", churn_csv, "--target", "churn", "--charter", "charter.yaml", "--out", "result", "-q")
    assert result.returncode == 2, result.stderr
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "result").exists()


PREDICTION: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str | None]] = {
    "column missing": (lambda f: f.drop("tenure"), "tenure"),
    "column retyped": (lambda f: f.with_columns(tenure=pl.lit("many")), "tenure"),
    "column extra": (lambda f: f.with_columns(extra=pl.lit(1)), None),
    "columns reordered": (lambda f: f.select(reversed(f.columns)), None),
    "unseen category": (lambda f: f.with_columns(contract=pl.lit("Weekly")), None),
    "all missing": (lambda f: f.with_columns(pl.all().replace_strict({}, default=None, return_dtype=pl.String)), None),
    "infinite": (lambda f: f.with_columns(charges=pl.lit("inf")), "charges"),
}


@pytest.mark.parametrize("case", PREDICTION)
def test_bad_rows_at_prediction_are_refused_or_handled(
    headrace: Command, finished_run: Path, tmp_path: Path, case: str
) -> None:
    change, refused = PREDICTION[case]
    change(churn_table(20, seed=1)).write_csv(tmp_path / "new.csv")
    result = headrace("predict", finished_run / "model", "new.csv", "--proba")
    if refused is None:
        assert result.returncode == 0, result.stderr
        assert len(result.stdout.splitlines()) == 21
        assert "nan" not in result.stdout.lower()
    else:
        assert result.returncode == 2, result.stdout
        assert refused in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1


EVERY = pl.int_range(pl.len())


def five_date_formats(path: Path) -> None:
    day = pl.col("joined").str.to_date()
    formats = ("%d/%m/%Y", "%d-%b-%Y", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
    written = pl.coalesce(
        pl.when(i == EVERY % 5).then(day.cast(pl.Datetime).dt.strftime(form)) for i, form in enumerate(formats)
    )
    churn_table().with_columns(joined=written).write_csv(path)


def decimal_commas(path: Path) -> None:
    charges = pl.col("charges").cast(pl.String).str.replace(".", ",", literal=True)
    path.write_text(churn_table().with_columns(charges=charges).write_csv(separator=";"))


def latin_1(path: Path) -> None:
    accented = churn_table().with_columns(contract=pl.col("contract").str.replace("One", "É"))
    path.write_bytes(accented.write_csv().encode("latin-1"))


def hostile_names(path: Path) -> None:
    names = {"contract": "<img src=x onerror=alert(1)>", "tenure": 'a.b[0] "q"'}
    churn_table().rename(names).write_csv(path)


def replaced(column: str, rows: pl.Expr, value: object) -> Writer:
    kept = pl.col(column) if not isinstance(value, str) else pl.col(column).cast(pl.String)
    return changed(**{column: pl.when(rows).then(pl.lit(value)).otherwise(kept)})


def ten_thousand_columns(path: Path) -> None:
    table = churn_table(120)
    noise = np.random.default_rng(0).normal(size=(120, 10_000)).round(3)
    table.hstack(pl.DataFrame(noise, schema=[f"n{i}" for i in range(10_000)])).write_csv(path)


def many_distinct_labels(path: Path) -> None:
    """Write 200,000 distinct labels in a column beside a label that says something."""
    rows = 200_000
    rng = np.random.default_rng(0)
    plan = rng.choice(["basic", "full"], rows)
    left = np.where(rng.random(rows) < np.where(plan == "basic", 0.6, 0.2), "yes", "no")
    code = [f"{a:x}-{b:x}" for a, b in zip(rng.integers(0, 1 << 40, rows), range(rows), strict=True)]
    pl.DataFrame({"plan": plan, "code": code, "size": rng.normal(size=rows), "churn": left}).write_csv(path)


HANDLED: dict[str, Writer] = {
    "10,000 columns": ten_thousand_columns,
    "200,000 distinct labels": many_distinct_labels,
    "target partly missing": replaced("churn", EVERY % 9 == 0, None),
    "a class with one row": replaced("churn", EVERY == 3, "maybe"),
    "all-null and constant columns": changed(nothing=pl.lit(None, pl.String), same=pl.lit("x")),
    "an id column": changed(customer=pl.format("C{}", EVERY)),
    "a column that equals the target": changed(copy=pl.col("churn")),
    "mixed types": replaced("tenure", EVERY % 40 == 0, "unknown"),
    "infinities": replaced("charges", EVERY % 50 == 0, float("inf")),
    "utf-16": lambda path: path.write_bytes(churn_table().write_csv().encode("utf-16")),
    "latin-1": latin_1,
    "semicolons and decimal commas": decimal_commas,
    "dates in five formats": five_date_formats,
    "hostile names": hostile_names,
}


@pytest.mark.parametrize("case", HANDLED)
def test_odd_tables_are_handled(headrace: Command, tmp_path: Path, case: str) -> None:
    HANDLED[case](tmp_path / "table.csv")
    result = headrace("run", "table.csv", "--target", "churn", "--trials", 1, "--out", "result", "-q")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "result/predictions.csv").exists()
    assert "<img src=x" not in (tmp_path / "result/report.html").read_text()
