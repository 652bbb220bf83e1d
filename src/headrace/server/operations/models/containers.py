"""The containers of a model: what the request says of them, and everything they need brought onto this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.server.containers.contract import ClientError
from headrace.server.containers.images import JUMPSTART_BUCKET
from headrace.server.errors import Denied, NotFound, OperationError
from headrace.server.model_server import Container, ModelFailed
from headrace.server.operations.acting import Actor
from headrace.server.operations.endpoints.artifacts import fetch_model
from headrace.server.resources import Stored

SUBMIT_DIRECTORY = "SAGEMAKER_SUBMIT_DIRECTORY"
MULTI_MODEL = "MultiModel"


def containers_of(actor: Actor, model: Stored, *, folder: Path | None = None) -> list[Container]:
    """Return the containers of a stored model, ready for Instance.start; raises ModelFailed in AWS's words."""
    return fetch_containers(actor, model.record["deployed"], folder=folder)


def fetch_containers(
    actor: Actor, definitions: Sequence[Mapping[str, Any]], *, folder: Path | None = None
) -> list[Container]:
    """Return containers by the definitions in a model's `deployed`, their data fetched as `fetch_model` does.

    Raises ModelFailed in AWS's words where data are missing, forbidden or no archive.
    """
    return [_fetch(actor, number, each, folder) for number, each in enumerate(definitions, 1)]


def _fetch(actor: Actor, number: int, definition: Mapping[str, Any], folder: Path | None) -> Container:
    environment = definition.get("environment") or {}
    many = definition.get("mode") == MULTI_MODEL
    name = definition.get("container_hostname") or f"container_{number}"
    uri = environment.get(SUBMIT_DIRECTORY, "")
    has_source = uri.startswith("s3://") and not JUMPSTART_BUCKET.fullmatch(uri)
    return Container(
        image=definition["image"],
        folder="" if many else _data(actor, name, definition, folder),
        environment=environment,
        source=_fetched(actor, name, uri, folder) if has_source else "",
        hostname=definition.get("container_hostname") or "",
        multi_model=many,
        network=not definition.get("enable_network_isolation"),
    )


def _data(actor: Actor, name: str, definition: Mapping[str, Any], folder: Path | None) -> str:
    source = (definition.get("model_data_source") or {}).get("s3_data_source")
    if source:
        return _fetched(
            actor,
            name,
            source["s3_uri"],
            folder,
            prefix=source["s3_data_type"] == "S3Prefix",
            packed=source["compression_type"] == "Gzip",
        )
    uri = definition.get("model_data_url")
    return _fetched(actor, name, uri, folder) if uri else ""


def _fetched(actor: Actor, name: str, uri: str, folder: Path | None, **how: bool) -> str:
    try:
        return str(fetch_model(actor, uri, folder, **how))
    except (NotFound, Denied) as error:
        raise ModelFailed(
            f'Failed to download model data for container "{name}" from URL: "{uri}". Please ensure that there is an '
            "object located at the URL and that the role passed to CreateModel has permissions to download the "
            f"object. ({error.message})"
        ) from None
    except ClientError as error:
        raise ModelFailed(
            f'Failed to extract model data archive for container "{name}" from URL "{uri}". Please ensure that the '
            f"object located at the URL is a valid tar.gz archive. ({error})"
        ) from None
    except OperationError as error:
        raise ModelFailed(
            f'Failed to download model data for container "{name}" from URL: "{uri}". ({error.message})'
        ) from None
