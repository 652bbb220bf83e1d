"""Other programs of AWS's clients: virtual environments of their own, which `make test-clients` makes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

collect_ignore = ["sagemaker_session.py", "programs"]
ENVIRONMENTS = Path(__file__).parents[2] / ".venv-clients"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def python_of() -> Callable[[str], Path]:
    """Return what names the Python of a client's environment, and skips the test where there is none."""

    def find(name: str) -> Path:
        if not (ENVIRONMENTS / name / "ready").exists():
            pytest.skip(f"{name} has no environment of its own here: make test-clients makes it (918 MB for both)")
        return ENVIRONMENTS / name / "bin" / "python"

    return find


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command in an otherwise empty home, with nothing set that points it anywhere."""

    def execute(*command: object) -> subprocess.CompletedProcess[str]:
        strange = ("AWS_", "HEADRACE_", "HTTP", "SAGEMAKER_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        done = subprocess.run(
            [str(word) for word in command],
            cwd=tmp_path, env=environment | {"HOME": str(tmp_path)}, capture_output=True, text=True, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return execute


@pytest.fixture
def headrace(server: Any) -> Callable[..., list[str]]:
    """Return what writes a command of headrace on the running server's data."""
    return lambda command, *rest: [sys.executable, "-m", "headrace", command, "--data", str(server.data), *rest]
