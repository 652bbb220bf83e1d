"""Users' own container images: run by docker or podman where one is found and answers, and else refused."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from headrace.server.containers.scripts.contract import Program, ScriptFailed, Training
from headrace.server.containers.scripts.starting import FRAMES, RUNTIME, SETTINGS
from headrace.server.containers.scripts.variables import MODEL, ROOT

if TYPE_CHECKING:
    from headrace.server.containers.scripts.serving import Served

ENGINES = ("docker", "podman")
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}")
KEPT = re.compile(r"PATH|HOME|USER|TMPDIR|XDG_\w+|DOCKER_\w+|CONTAINERS?_\w+|(?i:\w+_proxy)")
MEMORY_SHARE, PROCESSES, GRACE = 0.75, 4096, 120
PORT = 8080


def find_engine() -> str:
    """Return the path of this machine's container engine; raises ScriptFailed where none answers."""
    silent = []
    for name in ENGINES:
        path = shutil.which(name)
        if path and _answers(path):
            return path
        if path:
            silent.append(name)
    found = f"{' and '.join(silent)} does not answer here" if silent else "there is none here"
    raise ScriptFailed(
        f"an image of your own needs a container engine, and {found}; install docker or podman, and see that "
        "'docker info' or 'podman info' succeeds"
    )


def training_program(training: Training) -> Program:
    """Return how to run a training job in the user's own image: `train`, with the job's root as /opt/ml."""
    words = ["--network", "host" if training.network else "none"]
    words += ["--mount", f"type=bind,source={training.root},target={ROOT}"]
    for each in training.shown:
        words += ["--mount", f"type=bind,source={each.path},target={each.at},readonly"]
    entry, arguments = list(training.entrypoint), list(training.arguments)
    if entry:
        words += ["--entrypoint", entry[0]]
    after = [*entry[1:], *arguments] if entry or arguments else list(training.command)
    told = {"TRAINING_JOB_NAME": training.name, "TRAINING_JOB_ARN": training.arn, "AWS_REGION": training.region}
    given = {**told, **training.credentials, **training.environment}
    return _program(training.image, training.arn, words, after, given, {})


def serving_program(container: Served, socket: Path, credentials: Mapping[str, str]) -> Program:
    """Return how to serve a model in the user's own image: `serve`, asked on port 8080 of its own network."""
    if container.multi_model or not container.network:
        what = "models of multi-model containers" if container.multi_model else "models with EnableNetworkIsolation"
        raise ScriptFailed(f"image {container.image} is your own: {what} can't run in it here")
    words = ["--publish", f"127.0.0.1::{PORT}"]
    if container.folder:
        words += ["--mount", f"type=bind,source={container.folder},target={MODEL},readonly"]
    served = {"socket": str(socket), "frames": str(FRAMES), "port": PORT}
    given = {**credentials, **container.environment}
    return _program(container.image, str(socket), words, ["serve"], given, served)


def _program(
    image: str,
    what: str,
    words: Sequence[str],
    after: Sequence[str],
    given: Mapping[str, str],
    served: Mapping[str, Any],
) -> Program:
    """Return the command that runs a container and ends it with itself.

    `what` names the container: one of the same that an earlier attempt left is removed first.
    """
    if not REFERENCE.fullmatch(image):
        raise ScriptFailed(f"{image!r} is no image reference; write it as registry/repository:tag")
    try:
        path = find_engine()
    except ScriptFailed as error:
        raise ScriptFailed(f"image {image} is not one of AWS's known images: {error}") from None
    name = f"headrace-{hashlib.sha256(what.encode()).hexdigest()[:16]}"
    limits = ["--memory", str(int(psutil.virtual_memory().total * MEMORY_SHARE)), "--pids-limit", str(PROCESSES)]
    guard = ["--security-opt", "no-new-privileges", "--rm", "--name", name, "--stop-timeout", str(GRACE)]
    settings = {
        "parent": os.getpid(),
        "engine": path,
        "name": name,
        "before": [*guard, *limits, *words],
        "after": [image, *after],
        "given": dict(given),
        "variables": {},
        **served,
    }
    kept = {key: value for key, value in os.environ.items() if KEPT.fullmatch(key)}
    command = [sys.executable, "-I", str(RUNTIME), "contain"]
    return Program(command, {**kept, SETTINGS: json.dumps(settings, ensure_ascii=False)}, confined=False)


def _answers(path: str) -> bool:
    try:
        return subprocess.run([path, "info"], capture_output=True, timeout=20, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
