"""Processing by a user's script or own image, as a process in the sandbox that sees the documented /opt/ml."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from headrace.server.containers.contract import ClientError
from headrace.server.containers.scripts import ScriptFailed, Training, training_program
from headrace.server.errors import Unavailable
from headrace.server.jobs.handle import Job
from headrace.server.operations.acting import Actor
from headrace.server.operations.event_members import in_camel_case
from headrace.server.operations.processing.states import INNER
from headrace.server.operations.role_files import RoleFiles
from headrace.server.operations.training.scripted import read_inside
from headrace.server.resources import Stored


def run_script(job: Job, stored: Stored, actor: Actor, root: Path, late: Callable[[], bool]) -> tuple[int, str]:
    """Run the program to its end and return its exit code and what it left as its message.

    Raises ClientError where it can't be started.
    """
    record = stored.record
    specification, cluster = record["app_specification"], record["processing_resources"]["cluster_config"]
    instance = cluster.get("instance_type") or cluster["instance_preferences"][0]["instance_type"]
    isolated = bool((record.get("network_config") or {}).get("enable_network_isolation"))
    role = None if isolated else RoleFiles(actor, job.folder / "role")
    _write_configuration(stored, root)
    told = {"PROCESSING_JOB_NAME": stored.name, "PROCESSING_JOB_ARN": stored.arn}
    given = Training(
        name=stored.name,
        arn=stored.arn,
        image=specification["image_uri"],
        root=root,
        channels=(),
        hyperparameters={},
        environment={**told, **(record.get("environment") or {})},
        entrypoint=tuple(specification.get("container_entrypoint") or ()),
        arguments=tuple(specification.get("container_arguments") or ()),
        instance_type=instance,
        region=actor.place.region,
        command=(),
        credentials=role.variables if role else {},
        shown=role.shown if role else (),
        network=not isolated,
    )
    try:
        program = training_program(given, environments=job.platform.settings.data / "environments", log=job.log)
    except ScriptFailed as error:
        raise ClientError(str(error)) from error

    def is_to_stop() -> bool:
        if role:
            role.renew()
        return late()

    try:
        code = job.run(
            program.command,
            environment=program.environment,
            folders=program.folders,
            network=program.network,
            confined=program.confined,
            until=is_to_stop,
        )
    except Unavailable as error:
        raise ClientError(error.message) from error
    return code, read_inside(root, "output", "message").strip()


def _write_configuration(stored: Stored, root: Path) -> None:
    """Write what a script finds in /opt/ml/config (AWS page: How to build your own processing container)."""
    folder = root / "config"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "output").mkdir(exist_ok=True)
    content = {"processing_job_name": stored.name, "processing_job_arn": stored.arn, **stored.record}
    shown = in_camel_case({name: value for name, value in content.items() if name not in INNER})
    (folder / "processingjobconfig.json").write_text(json.dumps(shown), encoding="utf-8")
    hosts = {"current_host": "algo-1", "hosts": ["algo-1"]}
    (folder / "resourceconfig.json").write_text(json.dumps(hosts), encoding="utf-8")
