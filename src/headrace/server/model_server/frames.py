"""The messages between the server and its model processes: a JSON head and a body, on a private Unix socket.

Only the standard library is used here: programs in users' own environments import this very file.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

SIZES = struct.Struct(">IQ")
"""Bytes of the head, and of the body."""

LARGEST_HEAD = 1 << 20


def send(connection: socket.socket, head: dict[str, Any], body: bytes = b"") -> None:
    """Send one message."""
    encoded = json.dumps(head, separators=(",", ":")).encode()
    connection.sendall(b"".join((SIZES.pack(len(encoded), len(body)), encoded, body)))


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes] | None:
    """Return the next message, or None where the other side has closed between two; raises ConnectionError within one.

    A request's head has "operation" ("ping", "invoke", "stream", "unload") and what the operation needs; an answer's
    has "status" and what goes with it, and "more" where further parts of a streamed answer follow.
    """
    start = connection.recv(SIZES.size)
    if not start:
        return None
    head_size, body_size = SIZES.unpack(start + _exactly(connection, SIZES.size - len(start)))
    if head_size > LARGEST_HEAD:
        raise ConnectionError(f"a message's head of {head_size} bytes is larger than any")
    rest = _exactly(connection, head_size + body_size)
    return json.loads(rest[:head_size]), rest[head_size:]


def _exactly(connection: socket.socket, size: int) -> bytes:
    if not size:
        return b""
    block = connection.recv(size, socket.MSG_WAITALL)
    if len(block) == size:
        return block
    blocks = [block]
    missing = size - len(block)
    while missing:
        if not block:
            raise ConnectionError("the other side closed in the middle of a message")
        block = connection.recv(min(missing, 1 << 20))
        blocks.append(block)
        missing -= len(block)
    return b"".join(blocks)
