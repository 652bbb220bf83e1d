"""The packages that a user's source asks for in requirements.txt."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from headrace.server.containers.scripts import installing
from headrace.server.containers.scripts.contract import ScriptFailed
from headrace.server.containers.scripts.environments import Environment, digest, layer, made_once

LARGEST = 1 << 20


def plain(path: Path) -> list[str] | None:
    """Return the packages of a requirements.txt that names packages and nothing else, sorted; None of any other.

    Options, URLs and folders mean something of the job's own: what they install is not for others.
    """
    found: list[str] = []
    if path.is_symlink() or path.stat().st_size > LARGEST:
        return None
    for line in path.read_text(errors="replace").replace("\\\n", " ").splitlines():
        text = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not text:
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            return None
        if requirement.url:
            return None
        found.append(str(requirement))
    return sorted(set(found))


def layered(
    path: Path, on: Environment, folder: Path, log: Callable[[str], None], *, network: bool
) -> Environment | None:
    """Return an environment with the packages of a requirements.txt on top of another, made once under `folder`.

    None where that can't be without running code of packages, or where it is the job's own: then they are installed
    in the job's sandbox. Raises ScriptFailed where that has no network.
    """
    packages = plain(path)
    if packages is None:
        if not network:
            raise ScriptFailed(
                "requirements.txt has more than names and versions of packages, and code without a network "
                "(EnableNetworkIsolation) can't install it; name packages that have wheels"
            )
        return None
    if not packages:
        return on
    place = folder / digest([on.folder.name, *packages])
    try:
        with made_once(place) as new:
            if new:
                made = layer(new, on)
                installing.install(made.python, packages, log)
                (new / "environment.json").write_text(json.dumps({"on": on.folder.name, "packages": packages}))
    except ScriptFailed as error:
        if not network:
            raise
        log(f"{error}; trying again in the sandbox")
        return None
    return Environment(place, on.framework, on.version, (on.packages, *on.below))
