"""Models of AWS's own algorithms on disk: `model_algo-1`, plain NumPy arrays, beside a manifest in JSON; no pickle."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.contract import ClientError

ARRAYS = "model_algo-1"
MANIFEST = "manifest.json"
Arrays = Mapping[str, npt.NDArray[Any]]


def save_model(folder: Path, algorithm: str, arrays: Arrays, facts: Mapping[str, Any]) -> None:
    """Write a model of arrays; `numpy.load` reads them by name."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    (folder / ARRAYS).write_bytes(buffer.getvalue())
    save_facts(folder, algorithm, facts)


def load_model(
    folder: Path, algorithm: str, names: Sequence[str]
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Return the arrays and facts that `save_model` wrote.

    Raises ClientError where they are absent, damaged, another algorithm's, or anything that would need unpickling.
    """
    facts, content = load_facts(folder, algorithm, ARRAYS)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in names}, facts
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ClientError(f"{ARRAYS} is damaged or foreign ({error}); train '{algorithm}' again") from error


def save_facts(folder: Path, algorithm: str, facts: Mapping[str, Any]) -> None:
    """Write the manifest of a model."""
    text = json.dumps({"algorithm": algorithm, **facts}, indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def load_facts(folder: Path, algorithm: str, file: str) -> tuple[dict[str, Any], bytes]:
    """Return the manifest of a model, and the content of its `file`; raises ClientError as `load_model` does."""
    for name in (MANIFEST, file):
        if not (folder / name).is_file():
            raise ClientError(
                f"The model archive has no {name}; it must hold {file} and {MANIFEST} at its top, as training "
                f"'{algorithm}' here leaves them"
            )
    try:
        facts = dict(json.loads((folder / MANIFEST).read_bytes()))
        trained = facts["algorithm"]
    except (ValueError, KeyError, TypeError) as error:
        raise ClientError(f"{MANIFEST} is damaged or foreign ({error}); train '{algorithm}' again") from error
    if trained != algorithm:
        raise ClientError(
            f"The model archive holds a model of '{trained}', and the image serves '{algorithm}'; take the image that "
            "trained it"
        )
    return facts, (folder / file).read_bytes()
