"""`headrace` as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Headrace = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def headrace(tmp_path: Path) -> Headrace:
    """Run `headrace` with a home of its own; `variables` are added to its environment."""

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HEADRACE_"))}
        return subprocess.run(
            [sys.executable, "-m", "headrace", *map(str, arguments)],
            cwd=tmp_path, env=kept | {"HOME": str(tmp_path)} | variables, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    return run
