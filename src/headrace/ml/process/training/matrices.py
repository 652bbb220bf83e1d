"""The data that workers fit on: feature matrices of a fold, as float32 .npy files named by their content."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.renumbering import INDICATOR
from headrace.ml.contract import View
from headrace.ml.errors import OutputError

if TYPE_CHECKING:
    import polars as pl

    from headrace.ml.process.feature_engineering import FeatureEngineering, FittedPlan
    from headrace.ml.process.preparation import Preparation, Rows


@dataclass(frozen=True)
class Matrices:
    """Rows to fit on and rows to predict, written below `workspace / "data"` in the folder `name`.

    `fit` and `held` are positions in the preparation's frame; `scored` are positions within `held` of the fold's own
    rows (the others are the validation part, which no decision of the fold has seen). `plan` was fitted on `fit`. After
    the rows of `fit` come `more` others, which are not in that frame. `indicators` columns of the trees' view are
    one-hot.
    """

    name: str
    plan: FittedPlan
    fit: Rows
    held: Rows
    scored: Rows
    columns: Mapping[View, int]
    indicators: int = 0
    more: int = 0


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
    from headrace.ml.process.feature_engineering.renderings import renderings

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
        arrays[f"{view}-renderings"] = renderings(plan, view)
    name = _fingerprint(arrays)
    try:
        _write(workspace / "data", name, arrays)
    except OSError as error:
        raise OutputError(
            f"the matrices of a fold cannot be written to '{workspace}' ({error.strerror}); "
            "free some space there or set XDG_STATE_HOME to another disk"
        ) from error
    columns = {view: arrays[f"{view}-fit"].shape[1] for view in views}
    indicators = int((renderings(plan, View.TREES) == INDICATOR).sum()) if View.TREES in views else 0
    return Matrices(name, plan, fit, held, arrays["scored"], columns, indicators)


def extend_matrices(
    workspace: Path,
    base: Matrices,
    blocks: Iterable[tuple[pl.DataFrame, npt.NDArray[Any]]],
    *,
    most: int,
    views: Sequence[View],
    classes: int,
    seed: int,
    until: Callable[[], bool],
) -> Matrices:
    """Write the matrices of `base` with at most `most` more rows to fit on, a block at a time; stop when `until` says.

    The plan is that of `base`, which has not seen the rows. Raises `OutputError` on a full disk.
    """
    folder = workspace / "data"
    source, temporary = folder / base.name, folder / f".{base.name}-more"
    targets, count = [np.load(source / "fit-target.npy")], 0
    try:
        room = shutil.disk_usage(folder).free // 2 // (4 * sum(base.columns[view] for view in views))
        most = min(most, max(0, room - len(base.fit)))
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        with contextlib.ExitStack() as stack:
            files = {view: stack.enter_context((temporary / f"{view}-fit.npy").open("wb")) for view in views}
            for view, file in files.items():
                _write_header(file, len(base.fit) + most, base.columns[view])
                np.load(source / f"{view}-fit.npy", mmap_mode="r").tofile(file)
            for frame, target in blocks:
                frame, target = frame.head(most - count), target[: most - count]
                for view, file in files.items():
                    np.ascontiguousarray(base.plan.transform(frame, view), dtype=np.float32).tofile(file)
                targets.append(target)
                count += len(target)
                if count >= most or until():
                    break
            for view, file in files.items():
                file.seek(0)
                _write_header(file, len(base.fit) + count, base.columns[view])
        target = np.concatenate(targets)
        np.save(temporary / "fit-target.npy", target)
        np.save(temporary / "order.npy", sampling_order(target, classes=classes, seed=seed))
        copied = [f"{view}-{kind}" for view in views for kind in ("held", "renderings")]
        for name in ("held-target", "scored", *copied):
            shutil.copy(source / f"{name}.npy", temporary / f"{name}.npy")
        name = f"{base.name}-{count}"
        shutil.rmtree(folder / name, ignore_errors=True)
        temporary.rename(folder / name)
    except OSError as error:
        raise OutputError(
            f"the matrices of the final fit cannot be written to '{workspace}' ({error.strerror}); "
            "free some space there or set XDG_STATE_HOME to another disk"
        ) from error
    return replace(base, name=name, more=count)


def _write_header(file: IO[bytes], rows: int, columns: int) -> None:
    """Write the head of an .npy file, which has the same length for any number of rows."""
    head = {"descr": "<f4", "fortran_order": False, "shape": (rows, columns)}
    np.lib.format.write_array_header_1_0(file, head)


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
