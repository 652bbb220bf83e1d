"""Content types as requests and channels name them, and which one an Accept header asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from headrace.server.containers.contract import NotAcceptable, UnsupportedContentType

CSV = "text/csv"
LIBSVM = "text/libsvm"
RECORDIO = "application/x-recordio-protobuf"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
NPY = "application/x-npy"
PARQUET = "application/x-parquet"

OTHER_NAMES = {
    "csv": CSV,
    "libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "recordio-protobuf": RECORDIO,
    "application/x-jsonlines": JSON_LINES,
    "parquet": PARQUET,
    "x-application/vnd.amazon+parquet": PARQUET,
}

LONGEST = 1024


@dataclass(frozen=True)
class MediaType:
    """A content type's own name, in the spelling of this module, and its parameters in lower case."""

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        """Tell whether a parameter is switched on: `verbose`, `verbose=true` and `verbose=1` all do."""
        return self.parameters.get(name, "false").lower() not in ("false", "0")


@lru_cache(maxsize=256)
def read_media_type(text: str) -> MediaType:
    """Return the content type that a text like `text/csv; label_size=1` names."""
    name, *parameters = text[:LONGEST].split(";")
    name = name.strip().lower()
    pairs = (parameter.partition("=") for parameter in parameters if parameter.strip())
    return MediaType(
        OTHER_NAMES.get(name, name),
        {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs},
    )


def among(text: str, spoken: Sequence[str]) -> MediaType:
    """Return the content type that `text` names; raises UnsupportedContentType where it is none of the `spoken`."""
    media = read_media_type(text)
    if media.name not in spoken:
        named = f"Content-type {text[:LONGEST]} not supported" if text else "A request needs a Content-type"
        raise UnsupportedContentType(f"{named}. Supported content-type is {', '.join(spoken)}")
    return media


@lru_cache(maxsize=256)
def negotiate(accept: str, offered: tuple[str, ...]) -> MediaType:
    """Return what to answer with: the offered content type that an Accept header likes best.

    An empty header and `*/*` mean the first one offered; `q=0` refuses a type, ties go to the one named first.
    Raises NotAcceptable where nothing that is offered is accepted.
    """
    if not accept.strip():
        return MediaType(offered[0])
    wanted = [_weighed(part) for part in accept[:LONGEST].split(",") if part.strip()]
    refused = {media.name for media, quality in wanted if quality <= 0}
    for media, quality in sorted(wanted, key=lambda each: -each[1]):
        for name in offered:
            if quality > 0 and name not in refused and _covers(media.name, name):
                return MediaType(name, media.parameters)
    raise NotAcceptable(
        f"Accept type {accept[:LONGEST]} is not supported. Please use supported accept types: {', '.join(offered)}"
    )


def _weighed(part: str) -> tuple[MediaType, float]:
    media = read_media_type(part)
    parameters = dict(media.parameters)
    try:
        quality = float(parameters.pop("q", "1"))
    except ValueError:
        quality = 1.0
    return MediaType(media.name, parameters), quality


def _covers(pattern: str, name: str) -> bool:
    return pattern in (name, "*/*", "*") or (pattern.endswith("/*") and name.startswith(pattern[:-1]))
