"""botocore's models on disk: which services there are, and one service's model read when it is first needed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import Loader

from headrace.aws.specification.corrections import corrected
from headrace.aws.specification.once import once
from headrace.aws.specification.operations import Specification

_MODELS = Path(botocore.__file__).parent / "data"
_HEAD = 16_384


@once
def service(name: str) -> Specification:
    """Return the service that botocore calls `name`; raises LookupError when it knows none."""
    if name not in names():
        raise LookupError(f"botocore has no model of a service named {name!r}")
    loader = Loader(extra_search_paths=[str(_MODELS)], include_default_search_paths=False)
    model = _without_documentation(loader.load_service_model(name, "service-2"))
    return Specification(name, corrected(name, model))


@once
def names() -> frozenset[str]:
    """Return the names of all services that botocore has a model of."""
    return frozenset(
        folder.name for folder in _MODELS.iterdir() if folder.is_dir() and any(folder.glob("*/service-2*"))
    )


@once
def metadata() -> Mapping[str, Mapping[str, Any]]:
    """Return the metadata of every service by its name, read from the models' heads alone."""
    return {name: _head(name) for name in sorted(names())}


def _head(name: str) -> Mapping[str, Any]:
    latest = max(_MODELS.joinpath(name).glob("*/service-2.json*"))
    with gzip.open(latest) if latest.suffix == ".gz" else latest.open("rb") as stream:
        text = stream.read(_HEAD).decode("utf-8", "replace")
        try:
            found, _ = json.JSONDecoder().raw_decode(text, text.index("{", text.index('"metadata"')))
        except ValueError:
            found = json.loads(text.encode() + stream.read())["metadata"]
    head: Mapping[str, Any] = found
    return head


def _without_documentation(model: dict[str, Any]) -> dict[str, Any]:
    for shape in model.get("shapes", {}).values():
        shape.pop("documentation", None)
        for member in shape.get("members", {}).values():
            member.pop("documentation", None)
    for operation in model.get("operations", {}).values():
        operation.pop("documentation", None)
    return model
