"""Small tables and the command line as a user meets it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


def churn_table(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    """Make a table with numbers, labels, dates as text, missing values and a target that can be learnt."""
    rng = np.random.default_rng(seed)
    tenure = rng.integers(1, 72, rows)
    contract = rng.choice(["Month-to-month", "One year", "Two year"], rows, p=[0.5, 0.3, 0.2])
    charges = rng.normal(65, 25, rows).round(2)
    days = rng.integers(0, 900, rows)
    chance = 1 / (1 + np.exp(-(1.5 * (contract == "Month-to-month") - 0.05 * tenure + 0.02 * (charges - 65))))
    return pl.DataFrame(
        {
            "tenure": tenure,
            "contract": contract,
            "charges": [None if i % 17 == 0 else float(v) for i, v in enumerate(charges)],
            "joined": [str(np.datetime64("2021-01-01") + int(d)) for d in days],
            "churn": np.where(rng.random(rows) < chance, "yes", "no"),
        }
    )


@pytest.fixture(scope="session")
def churn_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "churn.csv"
    churn_table().write_csv(path)
    return path


@pytest.fixture
def headrace(tmp_path: Path) -> Command:
    """Run `headrace` in a folder of its own; its state stays there too."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
        return subprocess.run(
            [sys.executable, "-c", "from headrace.cli import main; main()", *map(str, arguments)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, **options,  # type: ignore[call-overload]
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def finished_run(churn_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished run with two trials; tests only read it."""
    import headrace

    os.environ.setdefault("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    return headrace.run(churn_csv, "churn", trials=2, out=tmp_path_factory.mktemp("out") / "result").out
