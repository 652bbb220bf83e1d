"""Installs what a user's source needs into the environment that this process runs in."""

import re
import subprocess
import sys
from pathlib import Path

LONGEST = 500


def install(*what: str) -> None:
    """Run pip, whose output goes to the log; raises RuntimeError with the reason that it gives."""
    command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", *what]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stderr is not None
    reasons = []
    for line in process.stderr:
        sys.stderr.write(line)
        if found := re.match(r"\s*(?:ERROR|error): (.+)", line):
            reasons.append(found[1])
    sys.stderr.flush()
    if code := process.wait():
        said = " ".join(reasons)[:LONGEST] or f"pip ended with exit code {code}"
        raise RuntimeError(f"the packages of {what[-1]} could not be installed: {said}")


def is_package(code: Path) -> bool:
    """Tell whether a source is a package that pip can install."""
    return (code / "setup.py").is_file() or (code / "pyproject.toml").is_file()
