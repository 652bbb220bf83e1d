"""A predictor as files: manifest.json, arrays.npz and an .npz for each model across items; nothing is unpickled."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models import MODELS
from headrace.ml.applications.forecasting.options import TrainingOptions
from headrace.ml.applications.forecasting.predictor.calibration import Calibration
from headrace.ml.applications.forecasting.predictor.impacts import Impact
from headrace.ml.applications.forecasting.predictor.predictor import Backtested, Predictor
from headrace.ml.applications.forecasting.predictor.records import WindowAccuracy
from headrace.ml.applications.forecasting.predictor.weights import Weights
from headrace.ml.errors import ModelError, OutputError

FORMAT = 1
MANIFEST, ARRAYS = "manifest.json", "arrays.npz"


def save_predictor(predictor: Predictor, folder: Path) -> None:
    """Write a predictor into a folder that is not there yet: whole or not at all; raises OutputError."""
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        temporary.mkdir(parents=True)
        _write(predictor, temporary)
        temporary.rename(folder)
    except OSError as error:
        raise OutputError(f"the model cannot be written to {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(predictor: Predictor, folder: Path) -> None:
    arrays = {
        "weights/items": predictor.weights.items, "weights/kinds": predictor.weights.kinds,
        "calibration": predictor.calibration.stretches,
    }  # fmt: skip
    arrays |= {f"losses/{name}": losses for name, losses in predictor.item_losses.items()}
    for place, window in enumerate(predictor.backtests):
        arrays |= {f"backtests/{place}/{name}": getattr(window, name) for name in ("actual", "mean", "values")}
    np.savez_compressed(folder / ARRAYS, **arrays)  # type: ignore[arg-type]
    for name, state in predictor.states.items():
        np.savez_compressed(folder / f"{name}.npz", **state)  # type: ignore[arg-type]
    manifest = {
        "format": FORMAT,
        "options": asdict(predictor.options),
        "frequency": asdict(predictor.frequency),
        "dimensions": predictor.dimensions,
        "items": predictor.items,
        "models": predictor.weights.models,
        "states": list(predictor.states),
        "limits": dict(predictor.limits),
        "levels": predictor.calibration.levels,
        "accuracy": {name: [window.to_json() for window in found] for name, found in predictor.accuracy.items()},
        "losses": list(predictor.item_losses),
        "backtests": [window.start for window in predictor.backtests],
        "related": predictor.related,
        "impacts": [asdict(impact) for impact in predictor.impacts],
        "notes": predictor.notes,
    }
    text = json.dumps(finite(manifest), allow_nan=False, ensure_ascii=False, indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def load_predictor(folder: Path) -> Predictor:
    """Read what `save_predictor` wrote; raises ModelError for a folder that is damaged, foreign or too new."""
    path = folder / MANIFEST
    try:
        manifest: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror or error}); give the model folder of a forecast"
        ) from error
    except ValueError as error:
        raise ModelError(f"{path} is damaged: it is not JSON; train anew, or restore it from a backup") from error
    if not isinstance(manifest, dict) or "levels" not in manifest:
        raise ModelError(f"{folder} holds no forecasting model; give the model folder that headrace forecast left")
    if manifest.get("format") != FORMAT:
        raise ModelError(f"{folder} is of format {manifest.get('format')}, and this Headrace reads {FORMAT}; update it")
    unknown = [name for name in manifest["models"] if name not in MODELS]
    if unknown:
        raise ModelError(f"{folder} uses the algorithm '{unknown[0]}', which this Headrace does not have; update it")
    try:
        return _read(manifest, folder)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder} is damaged ({error}); train anew, or restore it from a backup") from error


def _read(manifest: Mapping[str, Any], folder: Path) -> Predictor:
    with np.load(folder / ARRAYS, allow_pickle=False) as stored:
        arrays = dict(stored)
    states = {}
    for name in manifest["states"]:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as stored:
            states[name] = dict(stored)
    options: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in manifest["options"].items()}
    return Predictor(
        options=TrainingOptions(**options),
        frequency=Frequency(**manifest["frequency"]),
        dimensions=tuple(manifest["dimensions"]),
        items=tuple(tuple(labels) for labels in manifest["items"]),
        weights=Weights(tuple(manifest["models"]), arrays["weights/items"], arrays["weights/kinds"]),
        calibration=Calibration(tuple(manifest["levels"]), arrays["calibration"]),
        accuracy={
            name: tuple(WindowAccuracy.from_json(window) for window in windows)
            for name, windows in manifest["accuracy"].items()
        },
        item_losses={name: arrays[f"losses/{name}"] for name in manifest["losses"]},
        backtests=tuple(
            Backtested(start, *(arrays[f"backtests/{i}/{name}"] for name in ("actual", "mean", "values")))
            for i, start in enumerate(manifest["backtests"])
        ),
        states=states,
        limits=manifest["limits"],
        related=tuple(manifest["related"]),
        impacts=tuple(Impact(**impact) for impact in manifest["impacts"]),
        notes=tuple(manifest["notes"]),
    )


def finite(value: Any) -> Any:
    """Return plain JSON: numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
