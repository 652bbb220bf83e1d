"""How loops are compiled; importing this module imports numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])
ANY_ORDER = {"reassoc", "contract", "nsz"}


def compiled(function: Function) -> Function:
    """Compile on first call and keep the machine code on disk, where a folder for it is writable.

    That is $NUMBA_CACHE_DIR, the __pycache__ beside the function's file, or the user's cache folder. Other threads run
    meanwhile. Sums keep their order, so that results are the same on every processor.
    """
    return _made(function, sums=False)


def compiled_freely(function: Function) -> Function:
    """Compile as `compiled` does, but let sums be added in any order, which differs between processors by rounding."""
    return _made(function, sums=ANY_ORDER)


def _made(function: Function, *, sums: set[str] | bool) -> Function:
    made: Any
    try:
        made = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=sums)(function)
    except RuntimeError:  # no such folder
        made = numba.njit(nogil=True, error_model="numpy", fastmath=sums)(function)
    return cast(Function, made)
