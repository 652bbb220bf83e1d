"""Requests signed once and sent as bytes: clients that cost next to nothing, so that the server is what is measured."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from benchmarks.server.servers import REGION, Server
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

UNSIGNED = "UNSIGNED-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"


class _Signer(SigV4Auth):
    def __init__(self, server: Server, service: str, payload: str) -> None:
        super().__init__(Credentials(server.access_key, server.secret_key), service, REGION)
        self._payload = payload

    def payload(self, request: Any) -> str:
        del request
        return self._payload

    def _normalize_url_path(self, path: str) -> str:
        return path


def head(
    server: Server, service: str, method: str, path: str, headers: Mapping[str, str], payload: str = UNSIGNED
) -> bytes:
    """Return the signed head of a request, good for 15 minutes; `payload` is what x-amz-content-sha256 says."""
    request = AWSRequest(method, server.endpoint + path, headers={**headers, "x-amz-content-sha256": payload})
    _Signer(server, service, payload).add_auth(request)
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "host"]
    return "\r\n".join([*lines, "", ""]).encode()


def identity(server: Server) -> bytes:
    """Return a whole signed GetCallerIdentity."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(IDENTITY))}
    return head(server, "sts", "POST", "/", headers, sha256(IDENTITY).hexdigest()) + IDENTITY


class Connection:
    """One keep-alive connection, blocking."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(1 << 20))

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def ask(self, message: bytes, body: Iterable[bytes] = ()) -> tuple[int, int]:
        """Send a request whose body is what `message` ends with, then `body`; return status and bytes of the answer."""
        self._socket.sendall(message)
        for block in body:
            self._socket.sendall(block)
        return self.receive()

    def send(self, message: bytes) -> None:
        """Send a whole request, whose answer `receive` reads."""
        self._socket.sendall(message)

    def receive(self) -> tuple[int, int]:
        """Return status and bytes of the next answer."""
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the server closed the connection before its answer")
            received += more
        lines = received[:end].decode("latin-1").lower().split("\r\n")
        length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length:"))
        left = length - (len(received) - end - 4)
        while left > 0:
            count = self._socket.recv_into(self._buffer)
            if not count:
                raise ConnectionError("the server closed the connection in the middle of its answer")
            left -= count
        return int(lines[0].split()[1]), length
