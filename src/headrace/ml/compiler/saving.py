"""Writes a model folder: everything into a temporary folder beside it, flushed to disk, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.ml.errors import OutputError
from headrace.ml.prediction.baseline import Baseline
from headrace.ml.prediction.manifest import BASELINE_FILE, MANIFEST_FILE, MODEL_FILE, Manifest, record_content
from headrace.version import __version__

if TYPE_CHECKING:
    import onnx


def write_model(
    folder: Path,
    model: onnx.ModelProto,
    manifest: Manifest,
    baseline: Baseline | None,
    others: Mapping[str, bytes] | None = None,
) -> Manifest:
    """Write model.onnx, baseline.json, `others` and manifest.json into the new folder `folder`, whole or not at all.

    Returns the manifest as written: with the checksum and size of each file, and this version of Headrace. Raises
    `OutputError` when `folder` is in the way, or the disk is full or cannot be written.
    """
    contents = {MODEL_FILE: model.SerializeToString(deterministic=True)}
    if baseline is not None:
        contents[BASELINE_FILE] = baseline.to_json().encode()
    contents |= others or {}
    files = {name: record_content(content) for name, content in contents.items()}
    manifest = replace(manifest, files=files, headrace_version=manifest.headrace_version or __version__)
    contents[MANIFEST_FILE] = manifest.to_json().encode()
    if folder.exists():
        raise OutputError(f"'{folder}' is in the way of the model; remove it or choose another folder")
    temporary = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        for name, content in contents.items():
            _write_flushed(temporary / name, content)
        temporary.chmod(0o755)
        _flush_folder(temporary)
        temporary.rename(folder)
        _flush_folder(folder.parent)
    except OSError as error:
        raise OutputError(
            f"'{folder}' cannot be written ({error.strerror}); free space or choose another folder"
        ) from error
    finally:
        if temporary is not None and temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)
    return manifest


def _write_flushed(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
