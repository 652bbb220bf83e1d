"""What every process that fits needs: one thread, few arenas of memory, and an end with the process that began it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

from headrace.ml.adapters.threads import PASSIVE_OPENMP

ENVIRONMENT = {
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
    ),
    **PASSIVE_OPENMP,
    "MALLOC_ARENA_MAX": "2",
    "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
    "PYTHONHASHSEED": "0",
    "PYTHONWARNINGS": "ignore",
}
_DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG


def available_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent() -> None:
    """Where the system can, end with the process that began this one, and be the first to go when memory runs out."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_OF_PARENT, signal.SIGKILL)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500")
