"""Messages come out as they went in, whatever their size, and nonsense is an error that costs no memory."""

from __future__ import annotations

import socket
import threading

import pytest

from headrace.server.model_server.frames import SIZES, receive, send


@pytest.fixture
def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 6 << 20])
def test_bodies_of_every_size(pair: tuple[socket.socket, socket.socket], size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    head = {"operation": "invoke", "content_type": "text/csv; ü", "headers": {"a": "b"}}
    sender = threading.Thread(target=lambda: (send(pair[0], head, body), send(pair[0], {"status": 200})))
    sender.start()
    with pair[0], pair[1]:
        assert receive(pair[1]) == (head, body)
        assert receive(pair[1]) == ({"status": 200}, b"")
        sender.join()
        pair[0].close()
        assert receive(pair[1]) is None


@pytest.mark.parametrize(
    "sent",
    [
        b"\0",
        SIZES.pack(10, 0) + b"{}",
        SIZES.pack(2, 5) + b"{}abc",
        SIZES.pack(1 << 21, 0) + b"{}",
        SIZES.pack(2, 1 << 60) + b"{}",
        SIZES.pack(2, 0) + b"[]",
        SIZES.pack(3, 0) + b"{x}",
        SIZES.pack(2, 0) + b"\xff\xff",
        SIZES.pack(900_000, 0) + b"[" * 900_000,
    ],
)
def test_nonsense(pair: tuple[socket.socket, socket.socket], sent: bytes) -> None:
    sender = threading.Thread(target=lambda: (pair[0].sendall(sent), pair[0].close()))
    sender.start()
    with pair[1], pytest.raises(ConnectionError):
        receive(pair[1])
    sender.join()
