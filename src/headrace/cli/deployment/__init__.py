"""`headrace deploy`: a model of `headrace run` behind an endpoint of the running server."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import typer

from headrace.cli.deployment.clients import Clients, DeployError, open_clients
from headrace.cli.deployment.endpoint import Wanted, bring_up, serving_already
from headrace.cli.deployment.examples import show_examples
from headrace.cli.deployment.surroundings import ensure_bucket, ensure_role
from headrace.ml.errors import ModelError, OptionError

__all__ = ["DeployError", "deploy_command"]

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
MANIFEST = "manifest.json"
IMAGE = "{account}.dkr.ecr.{region}.amazonaws.com/headrace:1"


def deploy_command(
    model: Path, *, name: str, data: Path | None, instances: int, instance_type: str, wait: bool, replace: bool
) -> None:
    """Upload the model, create all that an endpoint needs, and print how it is asked.

    Raises OptionError, ModelError, and DeployError where the server refuses or the endpoint fails.
    """
    if not NAME.fullmatch(name):
        raise OptionError(
            f"the endpoint name {name!r} is not allowed; use up to 63 letters, digits and dashes, a letter or digit "
            "at both ends"
        )
    if instances < 1:
        raise OptionError(f"--instances {instances} serves nothing; give at least 1")
    folder = _model_folder(model)
    from headrace.ml.prediction import load

    opened = load(folder, threads=1)
    clients = open_clients(data)
    with clients.refusals():
        arn = _deploy(clients, folder, Wanted(name, instances, instance_type, replace, wait))
    typer.echo(f"endpoint {name}\n{arn}\n")
    show_examples(opened, name, clients)


def _deploy(clients: Clients, folder: Path, wanted: Wanted) -> str:
    with tempfile.TemporaryDirectory(prefix="headrace-deploy-") as temporary:
        archive = _pack(folder, Path(temporary))
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if (arn := serving_already(clients, wanted, digest, say)) is not None:
            return arn
        bucket, role = ensure_bucket(clients), ensure_role(clients)
        key = f"headrace/{wanted.model(digest)}/model.tar.gz"
        say(f"uploading to s3://{bucket}/{key}")
        with archive.open("rb") as body:
            clients.s3.put_object(Bucket=bucket, Key=key, Body=body)
    container = {
        "Image": IMAGE.format(account=clients.account, region=clients.region),
        "ModelDataUrl": f"s3://{bucket}/{key}",
    }
    return bring_up(clients, wanted, digest, container, role, say)


def _model_folder(path: Path) -> Path:
    """Return OUT/model, also where OUT was given."""
    for folder in (path, path / "model"):
        if (folder / MANIFEST).is_file():
            return folder
    if not path.exists():
        raise ModelError(f"'{path}' does not exist; give the model folder that headrace run left (OUT/model)")
    raise ModelError(
        f"'{path}' is no model: it has no {MANIFEST}; give the model folder that headrace run left (OUT/model)"
    )


def _pack(folder: Path, place: Path) -> Path:
    """Pack the files that the manifest names, and nothing else that may lie beside them."""
    from headrace.server.containers.archives import pack

    kept = place / "model"
    kept.mkdir()
    files = json.loads((folder / MANIFEST).read_bytes())["files"]
    for name in (MANIFEST, *files):
        (kept / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, kept / name)
    archive = place / "model.tar.gz"
    pack(kept, archive)
    return archive


def say(line: str) -> None:
    """Tell what is being done, on standard error."""
    typer.echo(line, err=True)
