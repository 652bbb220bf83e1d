"""Which built-in algorithm a container serves, if any."""

from __future__ import annotations

import json
from pathlib import Path

from headrace.server.containers.images import resolve, resolve_jumpstart
from headrace.server.model_server.contract import Container

JUMPSTART = ("lightgbm", "catboost")
MANIFEST = "manifest.json"


def built_in_name(container: Container) -> str:
    """Return the name among ALGORITHMS of what a container serves; "" for a script's or an own image.

    JumpStart's algorithms run in a framework's image: the variables tell, which hold the URIs of its sources, or the
    manifest of a model that was trained here and brings no script.
    """
    image = resolve(container.image)
    jumpstart = resolve_jumpstart(container.environment.values())
    if image is not None and image.built_in and not container.source and not _names_script(container):
        return image.built_in
    if jumpstart is not None and jumpstart.name in JUMPSTART:
        return f"{jumpstart.name}-{jumpstart.task}"
    if image is None or not image.framework or not container.folder or container.source:
        return ""
    folder = Path(container.folder)
    trained = "" if (folder / "code").is_dir() else _trained(folder)
    return trained if trained in JUMPSTART else ""


def _names_script(container: Container) -> bool:
    from headrace.server.containers.scripts import is_script

    return is_script(container.image, container.environment)


def _trained(folder: Path) -> str:
    try:
        name = json.loads((folder / MANIFEST).read_bytes())["algorithm"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else ""
