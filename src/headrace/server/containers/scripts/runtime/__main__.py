"""Starts a part of the runtime by its name, without putting this folder among what scripts can import."""

import importlib
import importlib.util
import sys
from pathlib import Path

NAME = "headrace_runtime"


def main() -> None:
    """Load the runtime as a package of its own, and run what the first argument names."""
    place = Path(__file__).parent
    found = importlib.util.spec_from_file_location(NAME, place / "__init__.py", submodule_search_locations=[str(place)])
    if found is None or found.loader is None:
        raise ImportError(f"the runtime is missing from {place}")
    package = sys.modules[NAME] = importlib.util.module_from_spec(found)
    found.loader.exec_module(package)
    importlib.import_module(f"{NAME}.{sys.argv[1]}").main()


if __name__ == "__main__":
    main()
