"""A training job in a temporary folder, and the tables that it learns from."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headrace.ml.adapters.threads import PASSIVE_OPENMP
from headrace.server.containers.contract import BuiltIn, Channel, Predictor, TrainingRun
from headrace.server.containers.hyperparameters import read_hyperparameters

os.environ.update(PASSIVE_OPENMP)  # the tests import the libraries by themselves


def csv(*columns: Any) -> bytes:
    """Write columns beside each other, the label first, in full precision."""
    table = np.column_stack([np.asarray(column, np.float32) for column in columns])
    lines = [",".join("" if np.isnan(value) else repr(float(value)) for value in row) for row in table]
    return ("\n".join(lines) + "\n").encode()


@dataclass
class Job:
    """A trained job: its log, and the model it left."""

    image: BuiltIn
    folder: Path
    lines: list[str] = field(default_factory=list)

    @property
    def model(self) -> Path:
        return self.folder / "model"

    def load(self, **environment: str) -> Predictor:
        return self.image.load(self.model, environment)

    def values(self, metric: str) -> list[float]:
        """Return what the image's own regular expression finds in the log."""
        pattern = next(one.pattern for one in self.image.metrics if one.name == metric)
        return [float(found[1]) for line in self.lines if (found := re.search(pattern, line))]


Train = Callable[..., Job]


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """Train an image on channels of bytes (text/csv), or of files by name."""

    def run(
        image: BuiltIn,
        channels: Mapping[str, bytes | Mapping[str, bytes]],
        hyperparameters: Mapping[str, Any],
        *,
        content_type: str = "text/csv",
        content_types: Mapping[str, str] | None = None,
        stopped: Callable[[], bool] = lambda: False,
        job: str = "job",
    ) -> Job:
        folder = tmp_path / job
        for name, content in channels.items():
            files = content if isinstance(content, Mapping) else {"data.csv": content}
            for path, data in files.items():
                target = folder / "input" / name / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        done = Job(image, folder)
        for part in ("model", "output", "checkpoint"):
            (folder / part).mkdir(exist_ok=True, parents=True)
        values = read_hyperparameters(
            image.hyperparameters, {name: str(value) for name, value in hyperparameters.items()}
        )
        image.check(values, list(channels))
        image.train(
            TrainingRun(
                hyperparameters=values,
                channels={
                    name: Channel(name, folder / "input" / name, (content_types or {}).get(name, content_type))
                    for name in channels
                },
                model=folder / "model",
                output=folder / "output",
                checkpoint=folder / "checkpoint",
                log=done.lines.append,
                stopped=stopped,
            )
        )
        return done

    return run


@pytest.fixture
def write() -> Callable[..., bytes]:
    return csv


@pytest.fixture(scope="session")
def table() -> tuple[Any, Any]:
    """Return features [600, 5] and a number that depends on them."""
    random = np.random.default_rng(7)
    features = random.normal(size=(600, 5)).astype(np.float32)
    values = 3 * features[:, 0] - 2 * features[:, 1] * features[:, 2] + random.normal(size=600) * 0.3 + 10
    return features, values.astype(np.float32)
