"""Loads what is kept for good, and lets one thread load it while the others wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import TypeVar, TypeVarTuple

Key = TypeVarTuple("Key")
Result = TypeVar("Result")


def once(load: Callable[[*Key], Result]) -> Callable[[*Key], Result]:
    """Keep every result of `load`; unlike functools.cache, it never runs in two threads at once.

    The first requests of many clients come together: each would else read the same models, in as many times the time.
    """
    results: dict[tuple[object, ...], Result] = {}
    lock = RLock()

    @wraps(load)
    def loaded(*key: *Key) -> Result:
        found = results.get(key)
        if found is None:
            with lock:
                found = results.get(key)
                if found is None:
                    found = results[key] = load(*key)
        return found

    return loaded
