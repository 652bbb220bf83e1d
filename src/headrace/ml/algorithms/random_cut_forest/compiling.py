"""How the loops of the random cut forest are compiled; importing this module imports numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile on first call and keep the machine code on disk, where a folder for it is writable.

    That is $NUMBA_CACHE_DIR, the __pycache__ beside the function's file, or the user's cache folder. Other threads run
    meanwhile. Sums may be added in any order, which differs between processors by rounding.
    """
    try:
        return _made(function, keep=True)
    except RuntimeError:  # no such folder
        return _made(function, keep=False)


def _made(function: Function, *, keep: bool) -> Function:
    sums = {"reassoc", "contract", "nsz"}
    made: Any = numba.njit(cache=keep, nogil=True, error_model="numpy", fastmath=sums)(function)
    return cast(Function, made)
