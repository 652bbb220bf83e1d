"""How every program of a user's is started: through our own runtime, inside the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headrace.server.containers.scripts.contract import Program
from headrace.server.containers.scripts.variables import decoded
from headrace.server.sandbox import Folder

RUNTIME = Path(__file__).parent / "runtime" / "__main__.py"
FRAMES = Path(__file__).parents[2] / "model_server" / "frames.py"
SETTINGS = "HEADRACE_PROGRAM"


def start(
    what: str,
    settings: Mapping[str, Any],
    *,
    python: str,
    environment: Mapping[str, str],
    given: Mapping[str, str],
    folders: tuple[Folder, ...],
    network: bool,
) -> Program:
    """Return how to start the runtime's `what` ("train", "serve") with its settings.

    `given` are variables of the user's choice. They are set by the runtime and not before: outside of the sandbox,
    LD_PRELOAD and its like would choose what the sandbox's own program loads.
    """
    path = f"{Path(python).parent}:/usr/local/bin:/usr/bin:/bin"
    fixed = {"PATH": path, "VIRTUAL_ENV": str(Path(python).parents[1]), "PYTHONUNBUFFERED": "1"}
    content = json.dumps({**settings, "variables": dict(given)}, ensure_ascii=False)
    return Program([python, "-I", str(RUNTIME), what], {**fixed, **environment, SETTINGS: content}, folders, network)


def values_of(variables: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function from "program" to what sagemaker_program or SAGEMAKER_PROGRAM says, "" where neither does."""
    values = decoded(variables)

    def value(name: str) -> str:
        return str(values.get(f"sagemaker_{name}") or values.get(f"SAGEMAKER_{name.upper()}") or "")

    return value
