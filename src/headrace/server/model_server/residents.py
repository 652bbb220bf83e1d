"""The models that a multi-model container holds: loaded when asked for, and out when memory is short."""

from __future__ import annotations

import ctypes
import gc
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from headrace.server.containers.contract import Predictor

PAGE = os.sysconf("SC_PAGE_SIZE")
MOST = 512 << 20
"""Bytes that a process may hold before the model that was asked for longest ago has to go."""


class Residents:
    """The loaded models by folder; `most` bounds the process's memory in bytes, but for one model that is larger."""

    def __init__(self, load: Callable[[str], Predictor], most: int = MOST) -> None:
        """Hold none yet."""
        self._load = load
        self._most = most
        self._lock = threading.Lock()
        self._models: OrderedDict[str, Future[Predictor]] = OrderedDict()

    def predictor(self, folder: str) -> Predictor:
        """Return a folder's model; the first who asks loads it, others who ask meanwhile wait for that one."""
        with self._lock:
            found = self._models.get(folder)
            if found is not None:
                self._models.move_to_end(folder)
            else:
                mine = self._models[folder] = Future()
        if found is not None:
            return found.result()
        try:
            predictor = self._load(folder)
        except BaseException as error:
            with self._lock:
                if self._models.get(folder) is mine:
                    del self._models[folder]
            mine.set_exception(error)
            raise
        mine.set_result(predictor)
        self._make_room(folder)
        return predictor

    def forget(self, folder: str) -> None:
        """Hold a folder's model no longer; requests that have it go on."""
        with self._lock:
            forgotten = self._models.pop(folder, None)
        if forgotten is not None:
            del forgotten
            _give_back()

    def __len__(self) -> int:
        """Return how many models are held or being loaded."""
        return len(self._models)

    def _make_room(self, newest: str) -> None:
        while resident_bytes() > self._most:
            with self._lock:
                oldest = next((name for name, model in self._models.items() if model.done() and name != newest), None)
                if oldest is None:
                    return
                del self._models[oldest]
            _give_back()


def resident_bytes() -> int:
    """Return the memory that this process holds."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * PAGE


def _give_back() -> None:
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
