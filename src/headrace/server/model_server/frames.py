"""The messages between the server and its model processes: a JSON head and a body, on a private Unix socket.

Only the standard library is used here: programs in users' own environments import this very file.

A request's head has "operation":
- "ping": answered once the model is loaded;
- "invoke" and "stream": with the members of contract.Invocation that are not empty (content_type, accept,
  custom_attributes, target_model, target_folder, session_id) and the request's body;
- "unload": with the target_folder of a model that is to be forgotten.

An answer's head has "status", and where there are any "content_type", "custom_attributes" and "headers". Each message
of a streamed answer but the last has "more": true. A connection carries one request at a time.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

SIZES = struct.Struct(">IQ")
"""Bytes of the head, and of the body."""

LARGEST_HEAD = 1 << 20
LARGEST_BODY = 1 << 30
JOINED = 1 << 16
"""Bodies up to this size travel in one block with their head."""

_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().decode


def message(head: dict[str, Any], body: bytes) -> bytes:
    """Return the bytes of a message."""
    return _start(head, body) + body


def send(connection: socket.socket, head: dict[str, Any], body: bytes = b"") -> None:
    """Send one message."""
    if len(body) <= JOINED:
        connection.sendall(message(head, body))
    else:
        connection.sendall(_start(head, body))
        connection.sendall(body)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes] | None:
    """Return the next message, or None where the other side has closed; raises ConnectionError in the middle of one."""
    start = connection.recv(SIZES.size)
    if not start:
        return None
    head_size, body_size = SIZES.unpack(start + _exactly(connection, SIZES.size - len(start)))
    _check(head_size, body_size)
    rest = _exactly(connection, head_size + body_size)
    return _head(rest[:head_size]), rest[head_size:]


def read(received: bytes | bytearray) -> tuple[dict[str, Any], bytes] | None:
    """Return the message that was received whole, or None while some of it is missing; raises as `receive`."""
    if len(received) < SIZES.size:
        return None
    head_size, body_size = SIZES.unpack_from(received)
    _check(head_size, body_size)
    start = SIZES.size + head_size
    if len(received) < start + body_size:
        return None
    if len(received) > start + body_size:
        raise ConnectionError("more than one message answers a request")
    return _head(bytes(received[SIZES.size : start])), bytes(received[start:])


def _start(head: dict[str, Any], body: bytes) -> bytes:
    encoded = _encode(head).encode()
    return SIZES.pack(len(encoded), len(body)) + encoded


def _check(head_size: int, body_size: int) -> None:
    if head_size > LARGEST_HEAD or body_size > LARGEST_BODY:
        raise ConnectionError(f"a message of {head_size} and {body_size} bytes is larger than any")


def _head(encoded: bytes) -> dict[str, Any]:
    try:
        head = _decode(encoded.decode())
    except (ValueError, RecursionError) as error:
        raise ConnectionError(f"a message's head can't be read ({error})") from None
    if type(head) is not dict:
        raise ConnectionError("a message's head is no object")
    return head


def _exactly(connection: socket.socket, size: int) -> bytes:
    if not size:
        return b""
    block = connection.recv(min(size, 1 << 20), socket.MSG_WAITALL)
    if len(block) == size:
        return block
    blocks = [block]
    missing = size - len(block)
    while missing:
        if not block:
            raise ConnectionError("the other side closed in the middle of a message")
        block = connection.recv(min(missing, 1 << 20), socket.MSG_WAITALL)
        blocks.append(block)
        missing -= len(block)
    return b"".join(blocks)
