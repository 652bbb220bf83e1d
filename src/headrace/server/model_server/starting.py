"""How the process of a container is started: our own for a built-in image, in the sandbox for a user's code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from headrace.server.model_server.built_in import built_in_name
from headrace.server.model_server.contract import Container
from headrace.server.model_server.processes import SOCKET, Command
from headrace.server.model_server.targets import Targets
from headrace.server.sandbox import sandboxed

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
OWN_VARIABLES = {
    **ONE_THREAD,
    "OMP_WAIT_POLICY": "PASSIVE",
    "MALLOC_ARENA_MAX": "2",
    "LANG": "C.UTF-8",
}
KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "NUMBA_CACHE_DIR", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Start:
    """A container that is to be started, and where and how."""

    container: Container
    folder: Path
    log: Callable[[str], None]
    trust_scripts: bool
    environment: Mapping[str, str] = field(repr=False)
    hidden: tuple[Path, ...]
    environments: Path


def command_of(start: Start) -> Callable[[], Command]:
    """Return what makes the container's command, which may take minutes for a script's environment."""
    name = built_in_name(start.container)
    return (lambda: _own(start, name)) if name else (lambda: _script(start))


def targets_of(start: Start) -> Targets | None:
    """Return where a container that runs a user's code finds the models of its invocations."""
    several = start.container.multi_model and not built_in_name(start.container)
    return Targets(start.folder / "models") if several else None


def _own(start: Start, name: str) -> Command:
    """Return the command of our own process, which finds no credentials in its environment."""
    kept = {key: os.environ[key] for key in KEPT_VARIABLES if key in os.environ}
    container = asdict(start.container) | {"environment": dict(start.container.environment)}
    told = json.dumps({"algorithm": name, "container": container, "parent": os.getpid()}).encode()
    words = [sys.executable, "-I", "-m", "headrace.server.model_server.host"]
    return Command(words, start.folder, kept | OWN_VARIABLES, told)


def _script(start: Start) -> Command:
    from headrace.server.containers.scripts import serving_program

    program = serving_program(
        start.container,
        environments=start.environments,
        socket=start.folder / SOCKET,
        log=start.log,
        credentials=start.environment,
    )
    if not program.confined:
        return Command(program.command, start.folder, program.environment)
    confined = sandboxed(
        program.command,
        folder=start.folder,
        folders=program.folders,
        environment=program.environment,
        network=program.network,
        hidden=start.hidden,
        trust=start.trust_scripts,
    )
    return Command(confined.command, start.folder, confined.environment)
