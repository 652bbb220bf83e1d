"""What the peers' scripts share: their arguments, their predictions and their speed; runs in each peer's environment."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

MANY = 100_000
PATIENCE = 60.0
"""Seconds after which a speed is not measured again."""


@dataclass(frozen=True)
class Job:
    """What a peer is asked for: `seconds` of wall time to learn `target` from `train`, then predictions for `test`."""

    train: Path
    test: Path
    target: str
    metric: str
    positive: str
    seconds: float
    folder: Path
    begun: float

    @classmethod
    def read(cls) -> Job:
        """Read the job from the command line."""
        facts = json.loads(Path(sys.argv[1]).read_text())
        paths = {name: Path(facts[name]) for name in ("train", "test", "folder")}
        return cls(**{**facts, **paths}, begun=time.monotonic())

    @property
    def task(self) -> str:
        """Return binary, multiclass or regression."""
        return {"roc_auc": "binary", "log_loss": "multiclass", "rmse": "regression"}[self.metric]

    def learning(self) -> pd.DataFrame:
        """Read the table to learn from; labels are text."""
        types = {} if self.task == "regression" else {self.target: str}
        return pd.read_csv(self.train, dtype=types)

    def judge(self, predict: Callable[[pd.DataFrame], Any], *, model: Path | None, **facts: Any) -> None:
        """Write predictions.npy ([rows] or [rows, classes in sorted order]) and facts.json with the speed."""
        fit_seconds = time.monotonic() - self.begun
        (self.folder / "fitted").touch()
        time.sleep(1)  # until the harness has seen it
        judged = pd.read_csv(self.test).drop(columns=[self.target])
        np.save(self.folder / "predictions.npy", np.asarray(predict(judged), dtype=np.float64))
        singles = _times(predict, [judged.iloc[[row]] for row in range(30)])
        many = pd.concat([judged] * (MANY // len(judged) + 1)).head(MANY)
        files = [] if model is None else [model] if model.is_file() else list(model.rglob("*"))
        speed = {
            "fit_seconds": fit_seconds,
            "single_ms": median(singles) * 1e3,
            "rows_per_second": MANY / median(_times(predict, [many] * 3)),
            "model_mb": sum(file.stat().st_size for file in files if file.is_file()) / 1e6 if files else None,
        }
        (self.folder / "facts.json").write_text(json.dumps({**speed, **facts}))


def _times(predict: Callable[[pd.DataFrame], Any], frames: list[pd.DataFrame]) -> list[float]:
    seconds: list[float] = []
    for frame in frames:
        start = time.perf_counter()
        predict(frame)
        seconds.append(time.perf_counter() - start)
        if sum(seconds) > PATIENCE:
            break
    return seconds
