"""The models behind one multi-model variant: fetched at their first use, and again once the object has changed."""

from __future__ import annotations

from pathlib import Path

from headrace.server.containers.contract import ClientError
from headrace.server.context import Platform
from headrace.server.errors import Denied, InvalidInput, NotFound
from headrace.server.operations.acting import act_as
from headrace.server.operations.endpoints.artifacts import fetch_model
from headrace.server.operations.endpoints.serving import Serving, Variant
from headrace.server.operations.storage.transfer import parse_uri
from headrace.server.stores.metadata.remembering import remembered


def target_folder(platform: Platform, found: Serving, variant: Variant, target_model: str) -> Path:
    """Return the folder with an unpacked target model; raises InvalidInput where the role can't read it.

    While nothing is written to the metadata, what was found stays true and S3 is not asked again.
    """
    name = target_model.lstrip("/")
    uri = f"{variant.model_data.rstrip('/')}/{name}"
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise InvalidInput(
            f"TargetModel {target_model!r} is no path below the model's prefix; name an object under it",
            code="ValidationError",
        )

    def fetch() -> Path:
        with platform.metadata.reading() as connection:
            actor = act_as(platform, connection, variant.role_arn, found.place)
        return fetch_model(actor, uri, platform.settings.data / "models")

    try:
        with platform.metadata.reading_late() as connection:
            return remembered(connection, ("target model", variant.role_arn, uri), fetch)
    except ClientError as error:
        raise InvalidInput(f"Failed to load model {target_model}: {error}", code="ValidationError") from None
    except (NotFound, Denied):
        key = parse_uri(uri)
        raise InvalidInput(
            f"Failed to download model data(bucket: {key.bucket}, key: {key.key}). Please ensure that there is an "
            "object located at the URL and that the role passed to CreateModel has permissions to download the model.",
            code="ValidationError",
        ) from None
