"""How the loops are compiled; importing this module imports numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile on first call and keep the machine code on disk, where a folder for it is writable.

    That is $NUMBA_CACHE_DIR, the __pycache__ beside the function's file, or the user's cache folder. Other threads run
    meanwhile. Sums keep their order, so that results are the same on every processor.
    """
    made: Any
    try:
        made = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no such folder
        made = numba.njit(nogil=True, error_model="numpy")(function)
    return cast(Function, made)
