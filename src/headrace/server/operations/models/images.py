"""Which images can serve here."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.images import resolve, resolve_jumpstart
from headrace.server.containers.scripts import ScriptFailed, find_engine
from headrace.server.errors import InvalidInput


def check_image(uri: str, environment: Mapping[str, str]) -> None:
    """Raise InvalidInput unless the image is AWS's, Headrace's, or one's own where a container engine answers."""
    if resolve_jumpstart(environment.values()) is not None:
        return
    image = resolve(uri)
    if image is None:
        try:
            find_engine()
        except ScriptFailed as error:
            raise InvalidInput(
                f"Requested image {uri} not found: it is none of AWS's images for SageMaker, and {error}.",
                code="ValidationException",
            ) from None
    elif image.framework is None and image.built_in not in ALGORITHMS:
        raise InvalidInput(
            f"Requested image {uri} not found: the algorithm {image.built_in} is not built in here yet; there are "
            f"{', '.join(sorted(ALGORITHMS))}.",
            code="ValidationException",
        )
