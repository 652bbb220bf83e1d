"""What the peers' scripts share: the job they are given and the quantiles they write; runs in each peer's environment."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Job:
    """What a peer is asked for: quantiles at `levels` of the `horizon` periods after the history of each item."""

    history: str
    related: str | None
    items: str | None
    known: list[str]
    horizon: int
    frequency: str
    season: int
    levels: list[float]
    seconds: float
    folder: str
    argument: str
    begun: float

    @classmethod
    def read(cls) -> Job:
        """Read the job that the command line names."""
        return cls(**json.loads(Path(sys.argv[1]).read_text()), begun=time.monotonic())

    def frame(self) -> pd.DataFrame:
        """Read the history: item, time, target, and the columns known ahead."""
        history = pd.read_csv(self.history, parse_dates=["time"], dtype={"item": str})
        if self.related is None:
            return history
        return history.merge(self.ahead(), on=["item", "time"], how="left")

    def ahead(self) -> pd.DataFrame:
        """Read what is known ahead: item, time, and the columns, over the history and the horizon."""
        return pd.read_csv(self.related, parse_dates=["time"], dtype={"item": str})

    def judge(self, values: Any, **facts: Any) -> None:
        """Write values.npy [items, horizon, levels], items in the order of the history, and facts.json."""
        np.save(Path(self.folder) / "values.npy", np.asarray(values, dtype=np.float64))
        (Path(self.folder) / "facts.json").write_text(json.dumps(facts))
