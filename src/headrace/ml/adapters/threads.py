"""Settings that must stand before a library starts its threads, and lazy imports of such libraries."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from headrace.ml.errors import HeadraceError, MissingExtraError

PASSIVE_OPENMP = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
"""Waiting threads sleep: spinning ones made LightGBM forty times slower on busy cores."""

ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Threads that wait for each other give up their core again and again: on busy cores, two of them made each of the many
small operations on a table thirty times slower, and on idle ones no faster."""

UNUSED = {"lightgbm": ("sklearn", "pandas", "matplotlib", "graphviz", "dask"), "sklearn": ("pandas", "pyarrow")}
"""What a library would load for interfaces that Headrace has no use for: of LightGBM's 1.5 s of import, 1.3; of
scikit-learn's 1.4, 0.3."""

STAND_INS = {"catboost": ("pandas", "polars")}
"""What CatBoost asks for the classes of frames, and takes half of its 90 MB and of its 1.4 s of import for."""

EXTRAS = {"catboost": "catboost"}


def keep_to_one_thread() -> None:
    """Let polars and numpy, where they are not at work yet, compute in the thread that calls them."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)


def import_library(module: str, *, without: Sequence[str] = (), arrays_only: bool = False) -> ModuleType:
    """Import a fitting library with passive OpenMP threads.

    `without` are packages that it would load, slowly, for interfaces that this process has no use for, beside `UNUSED`.
    `arrays_only` says that in this process no frame is ever given to it: see `STAND_INS`.
    Raises MissingExtraError where the library is absent, HeadraceError where libgomp1 is.
    """
    for name, value in PASSIVE_OPENMP.items():
        os.environ.setdefault(name, value)
    root = module.partition(".")[0]
    try:
        with _hidden((*without, *UNUSED.get(root, ())), STAND_INS.get(root, ()) if arrays_only else ()):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = f"headrace[{EXTRAS[root]}]" if root in EXTRAS else root
        raise MissingExtraError(f"the library '{root}' is not installed; run: pip install '{package}'") from error
    except OSError as error:
        if "gomp" in str(error):
            raise HeadraceError(
                f"{module} needs the system's OpenMP library, which is missing; run: sudo apt install libgomp1"
            ) from error
        raise


@contextmanager
def _hidden(packages: Sequence[str], replaced: Sequence[str] = ()) -> Iterator[None]:
    """Let packages that are not loaded yet seem absent, and others have classes of frames that nothing belongs to."""
    hidden: dict[str, Any] = {name: None for name in packages if name not in sys.modules}
    hidden |= {name: _stand_in(name) for name in replaced if name not in sys.modules}
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _stand_in(name: str) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(__version__="0", DataFrame=type("DataFrame", (), {}), Series=type("Series", (), {}))
    return module
