"""The formats of AWS's inference toolkit: arrays from and to JSON, CSV and npy."""

import io
import json
from typing import Any

from .contract import Refused

JSON, CSV, NPY, OCTETS = "application/json", "text/csv", "application/x-npy", "application/octet-stream"
TEXT = (JSON, CSV)


def media_type(value: str) -> str:
    """Return a content type without its parameters."""
    return value.partition(";")[0].strip().lower()


def decode(body: bytes, content_type: str) -> Any:
    """Return the array in a request's body; raises Refused (415) where the format is none of these."""
    import numpy as np

    kind = media_type(content_type)
    try:
        if kind == JSON:
            return np.array(json.loads(body))
        if kind == CSV:
            return np.genfromtxt(io.StringIO(body.decode()), dtype=np.float32, delimiter=",")
        if kind == NPY:
            return np.load(io.BytesIO(body), allow_pickle=False)
    except ValueError as error:
        raise Refused(400, f"the body is no {kind}: {error}") from error
    raise Refused(415, f"content type {content_type or '(none)'} is not supported; send {JSON}, {CSV} or {NPY}")


def encode(array: Any, accept: str) -> bytes:
    """Return an array-like in the accepted format; raises Refused (406) where that is none of these."""
    import numpy as np

    kind = media_type(accept)
    if kind == JSON:
        return json.dumps(array.tolist() if hasattr(array, "tolist") else array, default=_plain).encode()
    if kind == CSV:
        text = io.StringIO()
        np.savetxt(text, np.atleast_1d(np.asarray(array)), delimiter=",", fmt="%s")
        return text.getvalue().encode()
    if kind == NPY:
        held = io.BytesIO()
        np.save(held, np.asarray(array), allow_pickle=False)
        return held.getvalue()
    raise Refused(406, f"content type {accept} can't be answered; accept {JSON}, {CSV} or {NPY}")


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} can't be written as JSON")
