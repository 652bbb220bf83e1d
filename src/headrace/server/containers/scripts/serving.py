"""How a model's script is started to serve: a process that speaks the model server's frames on its socket."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from headrace.server.containers.images import resolve
from headrace.server.containers.scripts import engine, installing
from headrace.server.containers.scripts.contract import Program
from headrace.server.containers.scripts.environments import layer, prepare
from headrace.server.containers.scripts.requirements import layered
from headrace.server.containers.scripts.starting import FRAMES, start, values_of
from headrace.server.containers.scripts.variables import CODE, MODEL
from headrace.server.sandbox import Folder


class Served(Protocol):
    """What of a model's container is needed here (model_server.Container has it)."""

    @property
    def image(self) -> str: ...  # noqa: D102
    @property
    def folder(self) -> str: ...  # noqa: D102
    @property
    def environment(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def multi_model(self) -> bool: ...  # noqa: D102
    @property
    def network(self) -> bool: ...  # noqa: D102


def serving_program(
    container: Served,
    *,
    environments: Path,
    socket: Path,
    log: Callable[[str], None],
    credentials: Mapping[str, str] | None = None,
) -> Program:
    """Return how to start the script of a model; it listens on `socket`, whose folder it may write.

    It answers "ping" (500 with a sentence where the model can't be loaded), "invoke", "stream" and "unload". Raises
    ScriptFailed.
    """
    if resolve(container.image) is None:
        return engine.serving_program(container, socket, credentials or {})
    told = dict(credentials or {}) if container.network else {}
    environment = prepare(container.image, environments, log)
    source = Path(container.source) if container.source else None
    folder = Path(container.folder) if container.folder else None
    code = source or (folder / "code" if folder else None)
    requirements = code / "requirements.txt" if code else None
    settings: dict[str, Any] = {
        "framework": environment.framework.name,
        "socket": str(socket),
        "frames": str(FRAMES),
        "program": values_of(container.environment)("program"),
        "code": CODE if source else f"{MODEL}/code",
        "model": MODEL,
        "multi_model": container.multi_model,
        "install": False,
    }
    pip, seen = installing.shown(environment.python)
    if requirements and requirements.is_file():
        made = layered(requirements, environment, environments, log, network=container.network)
        if made is None:
            place = socket.parent / hashlib.sha256(socket.name.encode()).hexdigest()[:8]
            shutil.rmtree(place, ignore_errors=True)
            made, settings["install"] = layer(place, environment), True
        environment = made
    shown = [*map(Folder, seen if settings["install"] else ())]
    shown += [Folder(path) for path in (environment.folder, *(each.parents[2] for each in environment.below))]
    shown += [Folder(path, at=at) for path, at in ((folder, MODEL), (source, CODE)) if path]
    shown.append(Folder(socket.parent, writable=True))
    return start(
        "serve",
        settings,
        python=str(environment.python),
        environment={**pip, "SM_MODEL_DIR": MODEL, **told},
        given=container.environment,
        folders=tuple(shown),
        network=container.network,
    )
