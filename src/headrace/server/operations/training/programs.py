"""Which program a training job runs: a built-in algorithm, a user's script in a framework image, or an own image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.server.containers.images import resolve, resolve_jumpstart
from headrace.server.errors import InvalidInput

SCRIPT = frozenset({"sagemaker_program", "sagemaker_submit_directory"})
"""Hyperparameters, or in capitals variables of the environment, that name a script."""


@dataclass(frozen=True)
class Kind:
    """What an image means in a request: the name of a built-in algorithm, or "" where code of a user runs."""

    algorithm: str = ""

    @property
    def built_in(self) -> bool:
        """Whether it is an algorithm of AWS's own."""
        return bool(self.algorithm)

    @property
    def user_code(self) -> bool:
        """Whether a user's code runs."""
        return not self.algorithm


def kind_of(job: Mapping[str, Any]) -> Kind:
    """Return the kind of program of a request, or of a job's record.

    Raises InvalidInput on an image of AWS's that trains nothing without a script, and on one that is none.
    """
    specification = job["algorithm_specification"]
    given = {name.lower() for place in ("hyper_parameters", "environment") for name in job.get(place) or ()}
    uri = specification["training_image"]
    image = resolve(uri)
    jumpstart = resolve_jumpstart(_uris(job))
    if jumpstart is not None and image is not None and image.framework:
        return Kind(f"{jumpstart.name}-{jumpstart.task}")
    scripted = bool(specification.get("container_entrypoint")) or not SCRIPT.isdisjoint(given)
    if image is None:
        return Kind()
    if image.built_in and not (scripted and image.framework):
        return Kind(image.built_in)
    if scripted:
        return Kind()
    raise InvalidInput(
        f"The image {uri} runs a script, and none is given; name it in the hyperparameters sagemaker_program and "
        "sagemaker_submit_directory, or in ContainerEntrypoint",
        code="ValidationException",
    )


def _uris(job: Mapping[str, Any]) -> Iterable[str]:
    yield (job.get("hyper_parameters") or {}).get("sagemaker_submit_directory", "").strip('"')
    for channel in job.get("input_data_config") or ():
        yield (channel["data_source"].get("s3_data_source") or {}).get("s3_uri", "")
