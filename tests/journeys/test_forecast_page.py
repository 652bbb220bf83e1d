"""The page about Amazon Forecast: its Python, block after block, does what the page says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/howto/amazon-forecast.md"


@pytest.mark.slow
def test_the_python_of_the_page_runs(server: Any, tmp_path: Path) -> None:
    for table in (ROOT / "examples").glob("ice_cream_*.csv"):
        shutil.copy(table, tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join(blocks))
    command = [sys.executable, "-m", "headrace", "exec", "--data", str(server.data), "--", sys.executable, "page.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ACTIVE ") >= 4, done.stdout
    assert "FAILED" not in done.stdout
