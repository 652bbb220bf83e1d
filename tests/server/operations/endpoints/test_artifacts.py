"""Model data on this machine: what nobody uses any longer goes."""

import os
import time
from pathlib import Path

from headrace.server.operations.endpoints.artifacts import FOLDER, forget_old

DAY = 86_400


def test_old_data_that_no_endpoint_names_are_removed(tmp_path: Path) -> None:
    names = {"new": 1, "0ld": 8, "named": 30, ".fetching-cut-off": 9}
    for name, days in names.items():
        folder = tmp_path / FOLDER / name
        folder.mkdir(parents=True)
        (folder / "xgboost-model").write_bytes(b"model")
        then = time.time() - days * DAY
        os.utime(folder, (then, then))
    assert forget_old(tmp_path, ['{"fetched": [{"folder": "/data/models/named"}]}']) == 2
    assert {each.name for each in (tmp_path / FOLDER).iterdir()} == {"new", "named"}
    assert forget_old(tmp_path / "none", []) == 0
