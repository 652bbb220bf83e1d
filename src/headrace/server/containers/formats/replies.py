"""Replies of models in the formats that are documented for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.contract import NotAcceptable, Reply
from headrace.server.containers.formats.media_types import CSV, JSON, JSON_LINES, RECORDIO, negotiate
from headrace.server.containers.formats.recordio import write_labels

REPLY_TYPES = (JSON, JSON_LINES, CSV, RECORDIO)


def write_reply(reply: Reply, accept: str, *, offered: Sequence[str] = REPLY_TYPES) -> tuple[bytes, str]:
    """Return a reply in the content type that `accept` likes best of those `offered` (first: default), and its name.

    JSON is `{key: [{column: value, ...}, ...], **extra}`, JSON Lines its items, CSV the values of a row beside each
    other, recordio-protobuf a record a row with the columns in `label` as float32. A reply without columns is its
    `extra`, in JSON only. Raises NotAcceptable where none that is offered is accepted.
    """
    name = negotiate(accept, tuple(offered)).name
    if not reply.columns and name != JSON:
        raise NotAcceptable(f"Accept type {name} is not supported. Please use supported accept types: {JSON}")
    return WRITERS[name](reply), name


def _items(columns: Mapping[str, npt.NDArray[Any]]) -> list[dict[str, Any]]:
    names = list(columns)
    return [
        dict(zip(names, row, strict=True))
        for row in zip(*(column.tolist() for column in columns.values()), strict=True)
    ]


def _json(reply: Reply) -> bytes:
    document = {reply.key: _items(reply.columns)} if reply.columns else {}
    return json.dumps(document | dict(reply.extra), default=_plain).encode()


def _json_lines(reply: Reply) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in _items(reply.columns))


def _csv(reply: Reply) -> bytes:
    columns = [column.reshape(len(column), -1).T.tolist() for column in reply.columns.values()]
    rows = zip(*(part for column in columns for part in column), strict=True)
    return "".join([",".join(map(str, row)) + "\n" for row in rows]).encode()


def _recordio(reply: Reply) -> bytes:
    return write_labels(reply.columns)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


WRITERS: Mapping[str, Callable[[Reply], bytes]] = {
    JSON: _json,
    JSON_LINES: _json_lines,
    CSV: _csv,
    RECORDIO: _recordio,
}
