"""Installs what a user's source needs into the environment that this process runs in."""

import subprocess
import sys
from pathlib import Path


def install(*what: str) -> None:
    """Run pip, whose output goes to the log; raises RuntimeError with the command that failed."""
    command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", *what]
    code = subprocess.run(command, check=False).returncode  # noqa: S603
    if code:
        raise RuntimeError(
            f'packages could not be installed: command "{" ".join(command)}" ended with exit code {code}'
        )


def is_package(code: Path) -> bool:
    """Tell whether a source is a package that pip can install."""
    return (code / "setup.py").is_file() or (code / "pyproject.toml").is_file()
