"""What a run keeps so that it can be decided anew: targets and predictions of held-out and test rows, nothing else."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.contract import Predictions, Target
from headrace.ml.errors import SourceError

EVIDENCE_FILE = "evidence.npz"
MOST_ROWS = 500_000
"""Rows of each part that are kept; of more, a random sample."""


@dataclass(frozen=True)
class Evidence:
    """Targets [rows] and predictions of both parts: the positive class's probability, probabilities, or values.

    Rows stand in the order of their (first) predictions, which leads back to no row of the table.
    """

    held_out_target: Target
    held_out: Predictions
    test_target: Target
    test: Predictions

    @classmethod
    def of(
        cls, held_out_target: Target, held_out: Predictions, test_target: Target, test: Predictions, *, seed: int
    ) -> Evidence:
        """Keep what is needed of a run's predictions: probabilities [rows, classes], or values [rows]."""
        return cls(*_kept(held_out_target, held_out, seed), *_kept(test_target, test, seed))

    def to_bytes(self) -> bytes:
        """Render as a compressed NPZ file."""
        content = io.BytesIO()
        np.savez_compressed(content, **vars(self))
        return content.getvalue()

    @classmethod
    def read(cls, folder: Path) -> Evidence:
        """Read what a run kept in `folder`; raises `SourceError` where it is absent or damaged."""
        path = folder / EVIDENCE_FILE
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                evidence = cls(**{field.name: arrays[field.name] for field in fields(cls)})
        except FileNotFoundError:
            raise SourceError(
                f"{folder} has no {EVIDENCE_FILE}, which runs leave since they can be decided anew; run headrace again"
            ) from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise SourceError(f"{path} is damaged ({error}); run headrace again") from error
        parts = ((evidence.held_out_target, evidence.held_out), (evidence.test_target, evidence.test))
        for target, predictions in parts:
            fitting = target.ndim == 1 and 0 < len(target) == len(predictions) and predictions.dtype.kind == "f"
            if not fitting or target.dtype.kind not in "uif" or not np.isfinite(predictions).all():
                raise SourceError(f"{path} is damaged (targets and predictions do not match); run headrace again")
        return evidence


def _kept(target: Target, predictions: Predictions, seed: int) -> tuple[Target, Predictions]:
    if len(target) > MOST_ROWS:
        chosen = np.random.default_rng(seed).choice(len(target), MOST_ROWS, replace=False)
        target, predictions = target[chosen], predictions[chosen]
    if predictions.ndim == 1:
        values = np.asarray(predictions, dtype=np.float64)
        order = np.argsort(values, kind="stable")
        return np.asarray(target, dtype=np.float64)[order], values[order]
    single = predictions.astype(np.float32)
    single = single[:, 1] if single.shape[1] == 2 else single
    order = np.argsort(single if single.ndim == 1 else single[:, 0], kind="stable")
    codes: Target = target.astype(np.uint8 if predictions.shape[1] <= 256 else np.int32)
    kept: Any = single[order]  # in the single precision that a compiled model answers in
    return codes[order], kept
