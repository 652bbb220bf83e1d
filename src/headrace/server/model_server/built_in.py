"""Which built-in algorithm a container serves, if any."""

from __future__ import annotations

import json
from pathlib import Path

from headrace.server.containers.images import resolve, resolve_jumpstart
from headrace.server.model_server.contract import Container

JUMPSTART = ("lightgbm", "catboost")
SCRIPT_VARIABLES = ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY")
MANIFEST = "manifest.json"


def built_in_name(container: Container) -> str:
    """Return the name among ALGORITHMS of what a container serves; "" for a script's or an own image.

    JumpStart's algorithms run in a framework's image: the variables tell, which hold the URIs of its sources, or the
    manifest of a model that was trained here and brings no script.
    """
    image = resolve(container.image)
    jumpstart = resolve_jumpstart(container.environment.values())
    if image is not None and image.built_in and not _has_script(container):
        return image.built_in
    if jumpstart is not None:
        return f"{jumpstart.name}-{jumpstart.task}"
    if image is not None and image.framework and not _has_script(container):
        trained = _trained(Path(container.folder)) if container.folder else ""
        return trained if trained in JUMPSTART else ""
    return ""


def _has_script(container: Container) -> bool:
    if container.source or any(container.environment.get(name) for name in SCRIPT_VARIABLES):
        return True
    return bool(container.folder) and (Path(container.folder) / "code").is_dir()


def _trained(folder: Path) -> str:
    try:
        name = json.loads((folder / MANIFEST).read_bytes())["algorithm"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else ""
