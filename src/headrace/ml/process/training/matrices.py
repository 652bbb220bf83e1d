"""The data that workers fit on: feature matrices of a fold, as float32 .npy files named by their content."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import View
from headrace.ml.errors import OutputError

if TYPE_CHECKING:
    from headrace.ml.process.feature_engineering import FeatureEngineering, FittedPlan
    from headrace.ml.process.preparation import Preparation, Rows


@dataclass(frozen=True)
class Matrices:
    """Rows to fit on and rows to predict, written below `workspace / "data"` in the folder `name`.

    `fit` and `held` are positions in the preparation's frame; `scored` are positions within `held` of the fold's own
    rows (the others are the validation part, which no decision of the fold has seen). `plan` was fitted on `fit`.
    """

    name: str
    plan: FittedPlan
    fit: Rows
    held: Rows
    scored: Rows
    columns: Mapping[View, int]


def sampling_order(target: npt.NDArray[Any], *, classes: int, seed: int) -> npt.NDArray[np.int64]:
    """Order the rows so that every beginning of the order is a sample, stratified where there are classes.

    The first rows of the order hold each class that there is.
    """
    order = np.random.default_rng(seed).permutation(len(target))
    if not classes:
        return order
    codes = target[order].astype(np.int64)
    counts = np.bincount(codes, minlength=classes)
    by_class = np.argsort(codes, kind="stable")
    rank = np.empty(len(codes))
    rank[by_class] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[np.argsort(np.where(rank == 0, 0.0, (rank + 0.5) / counts[codes]), kind="stable")]


def sample_rows(rows: Rows, target: npt.NDArray[Any], most: int | None, *, classes: int, seed: int) -> Rows:
    """Return at most `most` of `rows`, in their order; `target` is that of the whole frame."""
    if most is None or len(rows) <= most:
        return rows
    chosen = sampling_order(target[rows], classes=classes, seed=seed)[:most]
    return rows[np.sort(chosen)]


def write_matrices(
    workspace: Path,
    preparation: Preparation,
    engineering: FeatureEngineering,
    *,
    fit: Rows,
    scored: Rows,
    validation: Rows,
    views: Sequence[View],
    classes: int,
    seed: int,
) -> Matrices:
    """Fit the plan on the rows `fit` and write the matrices of each view; raise `OutputError` on a full disk."""
    frame, target = preparation.frame, preparation.target
    held = np.union1d(scored, validation).astype(np.int64)
    plan, fitted = engineering.fit_transform(frame[fit], target[fit], views=views, seed=seed)
    held_frame = frame[held]
    arrays: dict[str, npt.NDArray[Any]] = {
        "fit-target": target[fit],
        "held-target": target[held],
        "scored": np.flatnonzero(np.isin(held, scored)),
        "order": sampling_order(target[fit], classes=classes, seed=seed),
    }
    for view in views:
        arrays[f"{view}-fit"] = np.ascontiguousarray(fitted[view], dtype=np.float32)
        seen = plan.transform(held_frame, view) if len(held) else np.empty((0, fitted[view].shape[1]))
        arrays[f"{view}-held"] = np.ascontiguousarray(seen, dtype=np.float32)
    name = _fingerprint(arrays)
    try:
        _write(workspace / "data", name, arrays)
    except OSError as error:
        raise OutputError(
            f"the matrices of a fold cannot be written to '{workspace}' ({error.strerror}); "
            "free some space there or set XDG_STATE_HOME to another disk"
        ) from error
    columns = {view: arrays[f"{view}-fit"].shape[1] for view in views}
    return Matrices(name, plan, fit, held, arrays["scored"], columns)


def _fingerprint(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()


def _write(folder: Path, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write to a temporary folder and rename it; an equal one that is there already is kept."""
    if (folder / name).exists():
        return
    temporary = folder / f".{name}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for key, array in arrays.items():
        np.save(temporary / f"{key}.npy", array)
    temporary.rename(folder / name)
