"""Where the larger data sets lie that are not part of the repository."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_sets() -> Path:
    folder = os.environ.get("HEADRACE_DATA")
    if not folder:
        pytest.skip("needs data sets that may not be copied here; set HEADRACE_DATA to their folder")
    return Path(folder)
