"""The connections to one model process, each used by one caller at a time."""

from __future__ import annotations

import os
import socket
import struct
import threading
from pathlib import Path
from time import monotonic

from headrace.server.model_server.contract import InstanceGone, ModelTimeout

MOST = 64
LONGEST_PATH = 100
_TIME = struct.Struct("@ll")


class Connections:
    """Connections to a private Unix socket: made when none is idle, at most 64; further callers wait for one."""

    def __init__(self, path: Path) -> None:
        """Remember where the socket is or will be."""
        self.path = path
        self._idle: list[Connection] = []
        self._open = 0
        self._waiting = 0
        self._free = threading.Condition()
        self._closed = False

    def take(self, seconds: float) -> Connection:
        """Return a connection whose every step may take `seconds`; raises InstanceGone, ModelTimeout."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._another(seconds)
        connection.limit(seconds)
        return connection

    def give(self, connection: Connection) -> None:
        """Take a connection back on which the last answer was read to its end."""
        if self._closed:
            connection.close()
            return
        self._idle.append(connection)
        if self._waiting:
            with self._free:
                self._free.notify()

    def drop(self, connection: Connection) -> None:
        """Close a connection whose last answer was not read to its end."""
        connection.close()
        with self._free:
            self._open -= 1
            self._free.notify()

    def close(self) -> None:
        """Close those that are idle; the others are closed when they come back."""
        with self._free:
            self._closed = True
            self._free.notify_all()
        while self._idle:
            self._idle.pop().close()

    def _another(self, seconds: float) -> Connection:
        deadline = monotonic() + seconds
        with self._free:
            self._waiting += 1
            try:
                while not self._closed:
                    if self._idle:
                        return self._idle.pop()
                    if self._open < MOST:
                        self._open += 1
                        break
                    if not self._free.wait(deadline - monotonic()):
                        raise ModelTimeout(f"no connection to the model was free within {seconds:g} seconds")
                else:
                    raise InstanceGone("the instance is stopped")
            finally:
                self._waiting -= 1
        try:
            return Connection(self.path, seconds)
        except OSError as error:
            with self._free:
                self._open -= 1
            if isinstance(error, BlockingIOError):
                raise ModelTimeout(f"the model process took no connection within {seconds:g} seconds") from None
            raise InstanceGone(f"the model process does not take connections ({error})") from None


class Connection(socket.socket):
    """A blocking connection whose steps the kernel limits in time, which costs no further call a step."""

    def __init__(self, path: Path, seconds: float) -> None:
        """Connect; raises OSError."""
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        self._seconds = 0.0
        try:
            self.limit(seconds)
            _connect(self, path)
        except BaseException:
            self.close()
            raise

    def limit(self, seconds: float) -> None:
        """Let every further step take `seconds`; one that takes longer raises BlockingIOError."""
        if seconds == self._seconds:
            return
        whole = max(seconds, 0.001)
        value = _TIME.pack(int(whole), int(whole % 1 * 1e6))
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)
        self._seconds = seconds


def _connect(connection: socket.socket, path: Path) -> None:
    """Connect to a socket whose path may be longer than an address holds."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        connection.connect(str(path))
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
