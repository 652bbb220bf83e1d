"""Users' own container images: where docker or podman is found and answers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.server.containers.scripts.contract import Program, ScriptFailed, Training

if TYPE_CHECKING:
    from headrace.server.containers.scripts.serving import Served

ENGINES = ("docker", "podman")


def engine(image: str) -> str:
    """Return the container engine of this machine; raises ScriptFailed where none answers."""
    silent = []
    for name in ENGINES:
        path = shutil.which(name)
        if path is None:
            continue
        if _answers(path):
            return path
        silent.append(name)
    reason = f"{' and '.join(silent)} found, but its daemon does not answer" if silent else "no container engine is found"
    raise ScriptFailed(
        f"image {image} is not one of AWS's known images, and {reason}; install and start docker or podman to run "
        "your own images"
    )


def training_program(training: Training, log: Callable[[str], None]) -> Program:
    """Return how to run a training job in the user's own image."""
    raise ScriptFailed(engine(training.image))


def serving_program(container: Served, socket: Path, credentials: Mapping[str, str]) -> Program:
    """Return how to serve a model in the user's own image."""
    raise ScriptFailed(engine(container.image))


def _answers(path: str) -> bool:
    try:
        return subprocess.run([path, "info"], capture_output=True, timeout=20, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
