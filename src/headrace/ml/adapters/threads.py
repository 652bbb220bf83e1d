"""Settings that must stand before a library starts its threads, and lazy imports of such libraries."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

from headrace.ml.errors import HeadraceError, MissingExtraError

PASSIVE_OPENMP = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
"""Waiting threads sleep: spinning ones made LightGBM forty times slower on busy cores."""

ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Threads that wait for each other give up their core again and again: on busy cores, two of them made each of the many
small operations on a table thirty times slower, and on idle ones no faster."""

UNUSED = {"lightgbm": ("sklearn", "pandas", "matplotlib", "graphviz", "dask"), "sklearn": ("pandas", "pyarrow")}
"""What a library would load for interfaces that Headrace has no use for: of LightGBM's 1.5 s of import, 1.3; of
scikit-learn's 1.4, 0.3."""

EXTRAS = {"catboost": "catboost"}


def keep_to_one_thread() -> None:
    """Let polars and numpy, where they are not at work yet, compute in the thread that calls them."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)


def import_library(module: str, *, without: Sequence[str] = ()) -> ModuleType:
    """Import a fitting library with passive OpenMP threads.

    `without` are packages that it would load, slowly, for interfaces that this process has no use for, beside `UNUSED`.
    Raises MissingExtraError where the library is absent, HeadraceError where libgomp1 is.
    """
    for name, value in PASSIVE_OPENMP.items():
        os.environ.setdefault(name, value)
    try:
        with _hidden((*without, *UNUSED.get(module.partition(".")[0], ()))):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        root = module.partition(".")[0]
        package = f"headrace[{EXTRAS[root]}]" if root in EXTRAS else root
        raise MissingExtraError(f"the library '{root}' is not installed; run: pip install '{package}'") from error
    except OSError as error:
        if "gomp" in str(error):
            raise HeadraceError(
                f"{module} needs the system's OpenMP library, which is missing; run: sudo apt install libgomp1"
            ) from error
        raise


@contextmanager
def _hidden(packages: Sequence[str]) -> Iterator[None]:
    """Let packages that are not loaded yet seem absent."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
