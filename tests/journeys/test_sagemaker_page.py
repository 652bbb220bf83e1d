"""The page about SageMaker: its Python, block after block, does what the page says."""

import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/howto/sagemaker.md"
EXAMPLE = ROOT / "examples/telco_churn.csv"


@pytest.mark.slow
def test_the_python_of_the_page_runs(server: Any, tmp_path: Path, headrace_run: Callable[..., Any]) -> None:
    draw = random.Random(0)
    rows = [[round(draw.random(), 4) for _ in range(8)] for _ in range(300)]
    table = [f"{sum(row):.3f},{','.join(map(str, row))}\n" for row in rows]
    (tmp_path / "train.csv").write_text("".join(table[:200]))
    (tmp_path / "validation.csv").write_text("".join(table[200:]))
    (tmp_path / "rows.csv").write_text("".join(f"{at},{','.join(map(str, row))}\n" for at, row in enumerate(rows[:20])))
    lines = EXAMPLE.read_text().splitlines(keepends=True)
    (tmp_path / "churn.csv").write_text("".join(lines[:1500]))
    (tmp_path / "new.csv").write_text("".join([lines[0], *lines[-5:]]))
    headrace_run("run", "churn.csv", "--target", "Churn", "--budget", "10s", "--out", "result")
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join(blocks))
    done = headrace_run("exec", "--data", str(server.data), "--", sys.executable, "page.py")
    said = done.stdout.splitlines()
    assert sum(line.startswith(("Yes", "No", "0", "1")) for line in said) >= 5, done.stdout
    assert any(line.startswith("Completed None") for line in said), done.stdout
    batch = [line for line in said if re.fullmatch(r"\d+,-?\d+\.\d+", line)]
    assert [int(line.partition(",")[0]) for line in batch] == list(range(20))


@pytest.fixture
def headrace_run(tmp_path: Path) -> Callable[..., Any]:
    """Return what runs headrace in the test's folder, and checks that it went well."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "headrace", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run
