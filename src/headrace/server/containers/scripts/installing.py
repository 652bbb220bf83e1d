"""Installs packages with pip, or uv where it is found, as the user's own pip is configured."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from headrace.server.containers.scripts.contract import ScriptFailed

KEPT = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|TMPDIR|XDG_.*|PIP_.*|UV_.*|SSL_.*|REQUESTS_CA_BUNDLE|(?i:\w+_proxy)|NETRC"
)
PLACES = ("index-url", "extra-index-url", "find-links")
MANNERS = ("no-index", "trusted-host", "retries", "timeout", "default-timeout")
PYTORCH_INDEX = "https://download.pytorch.org/whl/cpu"
PATIENCE = 1800
ASKED = ("install", "--only-binary", ":all:", "--retries", "3")
"""pip tells of an index that it can't reach only where it tries again."""

TIED = """import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
os.getppid() == int(sys.argv[1]) or os._exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Has the kernel kill what it becomes when its parent goes: PR_SET_PDEATHSIG is 1."""

UNREACHABLE = re.compile(
    r"connection broken by '\w+\((?:.*?: )?(.+)\)': /|(?:Could not fetch URL|Failed to fetch:?) (.+)|"
    r"(HTTP error 5\d\d.*)",
    re.MULTILINE,
)
"""What pip and uv say of an index that they do not reach."""


def install(
    python: Path,
    packages: Sequence[str],
    log: Callable[[str], None],
    places: Sequence[str] = (),
    linked: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Install packages that have wheels into the environment of `python`: none of their code runs.

    `linked` are versions of packages that are there and must stay, as they are the server's own. Raises ScriptFailed
    with what the installer said.
    """
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--python", str(python), "--no-config", *_for_uv(settings(python))]
        command += ["--compile-bytecode", "--index-strategy", "unsafe-best-match", "--no-progress", "--no-build"]
    else:
        command = [*_pip(python), *ASKED, "--progress-bar", "off"]
    log(f"installing {', '.join(packages)}")
    said = run([*command, *places, *packages, *(f"{name}=={version}" for name, version in linked.items())])
    if said.returncode:
        raise ScriptFailed(f"{', '.join(packages)} can't be installed: {_reason(said.stderr)}")


def available(python: Path, distribution: str, places: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the versions of a distribution that have a wheel for this Python; empty where there is none.

    Raises ScriptFailed where that can't be told, as an index can't be reached.
    """
    asking = [*_pip(python), *ASKED, "--dry-run", "--no-deps", *places, f"{distribution}==0"]
    said = run(asking, _without_constraints(python))
    found = re.search(r"\(from versions: ([^)]*)\)", said.stderr)
    versions = tuple(version for version in found[1].split(", ") if version != "none") if found else ()
    if not versions and (silent := _unreachable(said.stderr)):
        raise ScriptFailed(f"{distribution} can't be installed: {silent}")
    return versions


@cache
def settings(python: Path) -> Mapping[str, str]:
    """Return how the user's pip is configured, by option: its files first, then its environment."""
    options: dict[str, str] = {}
    for line in run([*_pip(python), "config", "list"]).stdout.splitlines():
        name, _, value = line.partition("=")
        scope, _, option = name.partition(".")
        if scope in ("global", "install", ":env:"):
            options[option] = str(ast.literal_eval(value))
    return options


def shown(python: Path) -> tuple[dict[str, str], list[Path]]:
    """Return the variables by which a pip in the sandbox finds packages, and the folders that it needs to see.

    Names and passwords are taken out of URLs: the code of packages runs there.
    """
    variables, folders = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1"}, []
    for option in PLACES:
        values = settings(python).get(option, "").split()
        if values:
            variables[f"PIP_{option.replace('-', '_').upper()}"] = " ".join(map(_without_password, values))
        for value in values:
            local = Path(urllib.parse.unquote(value.removeprefix("file://")))
            if local.is_absolute() and local.is_dir():
                folders.append(local.parent if option != "find-links" else local)
    if certificates := settings(python).get("cert"):
        variables["PIP_CERT"] = certificates
    for option in MANNERS:
        if option in settings(python):
            variables[f"PIP_{option.replace('-', '_').upper()}"] = settings(python)[option]
    return variables, folders


def environment() -> dict[str, str]:
    """Return the part of the server's environment that installers need: it holds none of its own settings."""
    return {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}


def run(command: Sequence[str], variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run an installer, which ends with the thread that waits for it; raises ScriptFailed where it takes too long."""
    tied = [sys.executable, "-I", "-S", "-c", TIED, str(os.getpid()), *command]
    try:
        return subprocess.run(  # noqa: S603
            tied, env=variables or environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ScriptFailed(f"packages could not be installed within {PATIENCE} seconds") from error


def _without_constraints(python: Path) -> dict[str, str]:
    """Return an installer's environment with all that pip is told but constraints, under which it names no versions."""
    variables = {name: value for name, value in environment().items() if not name.startswith("PIP_")}
    for option, value in settings(python).items():
        if option != "constraint":
            variables[f"PIP_{option.replace('-', '_').upper()}"] = value
    return variables | {"PIP_CONFIG_FILE": os.devnull}


def _pip(python: Path) -> list[str]:
    return [str(python), "-I", "-m", "pip", "--disable-pip-version-check"]


def _for_uv(options: Mapping[str, str]) -> Iterable[str]:
    for option, flag in zip(PLACES, ("--default-index", "--index", "--find-links"), strict=True):
        for value in options.get(option, "").split():
            yield from (flag, value)
    if options.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        yield "--no-index"
    if options.get("cert") or sys.platform == "darwin":
        yield "--native-tls"


def _without_password(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [re.sub(r"^(?:ERROR|error): ", "", line) for line in lines if re.match(r"(?i)error", line)]
    if silent := _unreachable(said):
        return silent
    return _without_credentials(" ".join(errors or lines[-3:]))[:600]


def _unreachable(said: str) -> str:
    """Return a sentence where an index could not be reached, or ""."""
    found = UNREACHABLE.search(said)
    if not found:
        return ""
    detail = _without_credentials(next(filter(None, found.groups()))).strip("'\"")[:200]
    return (
        f"the package index can't be reached ({detail}); connect this machine, or configure pip with an index that it "
        "reaches"
    )


def _without_credentials(text: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)
