"""Virtual environments for users' code: one for each framework and release, and layers with more packages on it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import sysconfig
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from itertools import product
from pathlib import Path

from packaging.utils import canonicalize_name

from headrace.server.containers.images import Image, resolve
from headrace.server.containers.scripts import installing
from headrace.server.containers.scripts.contract import ScriptFailed
from headrace.server.containers.scripts.frameworks import FRAMEWORKS, Framework, nearest, release
from headrace.server.containers.scripts.linking import can_link, link

RECIPE = 2
"""Part of every environment's name: raised when they are made differently."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, the folders of packages that it is layered on, and the framework's name and release."""

    folder: Path
    framework: Framework
    version: str
    below: tuple[Path, ...] = ()

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        return Path(sysconfig.get_path("purelib", "venv", {"base": str(self.folder), "platbase": str(self.folder)}))


def framework_of(image: str) -> tuple[Framework, Image]:
    """Return the framework of an image's URI; raises ScriptFailed where scripts of it can't run here."""
    found = resolve(image)
    framework = FRAMEWORKS.get(found.framework or "") if found else None
    if not found or not framework:
        known = ", ".join(each.title for each in FRAMEWORKS.values())
        raise ScriptFailed(f"scripts can't run in image {image}; the images that can are those of {known}")
    return framework, found


def prepare(image: str, folder: Path, log: Callable[[str], None]) -> Environment:
    """Return the environment of a framework's image, made under `folder` when it is not there yet.

    Raises ScriptFailed where the framework has no wheel for this Python, or can't be installed.
    """
    framework, found = framework_of(image)
    wanted = found.version or (_served(framework) or ("", ""))[1]
    if framework.name == "python":
        wanted = ""
    name = digest([framework.name, wanted, str(_linked(framework, wanted)), *framework.companions, *framework.older[1]])
    place = folder / name
    with made_once(place) as new:
        if new:
            try:
                _make(new, framework, wanted, log)
            except ScriptFailed as error:
                raise ScriptFailed(f"{error}{_otherwise(framework, wanted)}") from None
    version = json.loads((place / "environment.json").read_text())["version"]
    if wanted and release(version)[:2] != release(wanted)[:2]:
        python = ".".join(map(str, sys.version_info[:2]))
        log(f"{framework.title} {wanted} has no wheel for Python {python}; {version} is used")
    return Environment(place, framework, version)


def layer(folder: Path, on: Environment) -> Environment:
    """Return a new, empty environment in `folder` that also imports what `on` does, and has its pip."""
    bare(folder)
    made = Environment(folder, on.framework, on.version, (on.packages, *on.below))
    lines = [f"import site; site.addsitedir({str(path)!r})\n" for path in made.below]
    (made.packages / "layers.pth").write_text("".join(lines))
    for name in ("pip", "pip3"):
        _write_program(folder / "bin" / name, b'#!/bin/sh\nexec "$(dirname "$0")/python" -m pip "$@"\n')
    for below in (path.parents[2] for path in made.below):
        _lift_programs(below, folder)
    return made


def bare(folder: Path, *options: str) -> None:
    """Make an empty virtual environment of this Python; `options` are venv's own."""
    said = installing.run([sys.executable, "-I", "-m", "venv", *(options or ("--without-pip",)), str(folder)])
    if said.returncode:
        raise ScriptFailed(
            f"a virtual environment can't be made: {(said.stdout + said.stderr).strip()[-300:]}; "
            "install Python's venv module (apt-get install python3-venv)"
        )


@contextmanager
def made_once(place: Path) -> Iterator[Path | None]:
    """Give a temporary folder that becomes `place` when the block ends well, or None where `place` is there already.

    Others who want the same wait meanwhile, in whatever process.
    """
    if place.is_dir():
        yield None
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.is_dir():
            yield None
            return
        new = place.with_name(f"{place.name}.{uuid.uuid4().hex[:8]}.new")
        for left in place.parent.glob(f"{place.name}.*.new"):
            shutil.rmtree(left, ignore_errors=True)
        try:
            yield new
            _move_scripts(new, place)
            new.rename(place)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise


def digest(parts: list[str]) -> str:
    """Return the name of what is made of these parts by this Python."""
    text = json.dumps([RECIPE, sys.version, sys.base_prefix, *parts])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _make(new: Path, framework: Framework, wanted: str, log: Callable[[str], None]) -> None:
    log(f"making an environment for {framework.title} {wanted}".rstrip() + "; this is done once")
    made, way = Environment(new, framework, ""), "--copies" if sys.platform == "darwin" else "--symlinks"
    if can_link(["pip"]):
        bare(new, "--without-pip", way)
        link(["pip"], made.packages)
    else:
        bare(new, way)
    linked = _linked(framework, wanted)
    here = link([*linked, *framework.companions], made.packages) if linked or not framework.distributions else {}
    version, packages = next(iter(linked.values()), ""), []
    if framework.distributions and not linked:
        version, package, places = _choose(made.python, framework, wanted)
        older, bounds = framework.older
        packages = [package, *(bounds if older and release(version) < older else ())]
        installing.install(made.python, [*packages, *_unbound(framework, packages)], log, places)
    else:
        missing = [name for name in framework.companions if canonicalize_name(name) not in here]
        if missing:
            installing.install(made.python, missing, log, linked=here)
    (new / "environment.json").write_text(json.dumps({"framework": framework.name, "version": version}))


def _unbound(framework: Framework, packages: list[str]) -> list[str]:
    bound = {re.split(r"[<=]", package)[0] for package in packages}
    return [name for name in framework.companions if name not in bound]


def _choose(python: Path, framework: Framework, wanted: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the version to install, its requirement, and where else to look for it."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    silent: ScriptFailed | None = None
    elsewhere = [("--extra-index-url", installing.PYTORCH_INDEX)] if framework.build else []
    for distribution, places in product(framework.distributions, [(), *elsewhere]):
        try:
            versions = installing.available(python, distribution, places)
        except ScriptFailed as error:
            silent = silent or error
            continue
        for version in versions:
            if not framework.build or version.endswith(f"+{framework.build}") or sys.platform == "darwin":
                found.setdefault(version, (distribution, places))
        if any(release(version)[:2] == release(wanted)[:2] for version in found):
            break
    version = nearest(wanted, found)
    if version:
        distribution, places = found[version]
        return version, f"{distribution}=={version}", places
    where, hint = f"Python {'.'.join(map(str, sys.version_info[:2]))}", ""
    if framework.build:
        where, hint = f"{where} without CUDA", f": extra-index-url {installing.PYTORCH_INDEX}"
    if silent:
        raise ScriptFailed(f"{silent}{hint}")
    raise ScriptFailed(
        f"{framework.title} {wanted} has no wheel for {where} in the package indexes that pip is configured with; add "
        f"one that has{hint}"
    )


def _otherwise(framework: Framework, wanted: str) -> str:
    """Return which release needs no index here, where that is not the wanted one."""
    served = _served(framework)
    if not served or _linked(framework, wanted) or not can_link(framework.companions):
        return ""
    return f", or take {framework.title} {'.'.join(map(str, release(served[1])[:2]))}, which is here already"


def _served(framework: Framework) -> tuple[str, str] | None:
    """Return the framework's distribution that the server itself has installed, and its version."""
    for distribution in framework.distributions:
        try:
            return distribution, metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def _linked(framework: Framework, wanted: str) -> Mapping[str, str]:
    """Return the framework's distribution where the server's own release is the wanted one."""
    served = _served(framework)
    if not served or (wanted and release(served[1])[:2] != release(wanted)[:2]):
        return {}
    return dict([served])


def _lift_programs(below: Path, folder: Path) -> None:
    """Let a layer have the programs of what it lies on, run by its own interpreter."""
    shebang = b"#!" + os.fsencode(below / "bin" / "python")
    for program in (below / "bin").iterdir():
        own = folder / "bin" / program.name
        if own.exists() or program.is_symlink() or not program.is_file():
            continue
        first, _, rest = program.read_bytes().partition(b"\n")
        if first.startswith(shebang):
            _write_program(own, b"#!/bin/sh\n'''exec' \"$(dirname \"$0\")/python\" \"$0\" \"$@\"\n' '''\n" + rest)


def _write_program(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o755)


def _move_scripts(new: Path, place: Path) -> None:
    """Let the environment's programs find their interpreter under the name that it is about to get."""
    for program in (new / "bin").iterdir():
        if program.is_symlink() or not program.is_file():
            continue
        content = program.read_bytes()
        if content.startswith(b"#!") or program.suffix or program.name.startswith("activate"):
            program.write_bytes(content.replace(os.fsencode(new), os.fsencode(place)))
