"""Models trained once a session, instances that serve them, and programs in a container's place."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headrace.ml.adapters.threads import PASSIVE_OPENMP
from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import Channel, TrainingRun
from headrace.server.containers.hyperparameters import read_hyperparameters
from headrace.server.model_server import Container, Instance
from headrace.server.model_server.processes import Command, ModelProcess

os.environ.update(PASSIVE_OPENMP)

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
IMAGES = {
    "xgboost": f"{REGISTRY}/sagemaker-xgboost:1.7-1",
    "linear-learner": f"{REGISTRY}/linear-learner:1",
    "knn": f"{REGISTRY}/knn:1",
    "randomcutforest": f"{REGISTRY}/randomcutforest:1",
    "lightgbm": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:1.12.0-cpu-py38",
}
HYPERPARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "xgboost": {"num_round": 5, "objective": "reg:squarederror"},
    "linear-learner": {"predictor_type": "regressor", "epochs": 2},
    "knn": {"k": 3, "predictor_type": "classifier", "sample_size": 200, "feature_dim": 4},
    "randomcutforest": {"feature_dim": 4, "num_trees": 50, "num_samples_per_tree": 32},
    "lightgbm": {"num_boost_round": 5, "min_data_in_leaf": 1},
}
ECHO = Path(__file__).parent / "programs" / "echo.py"


def trained(name: str, folder: Path, seed: int = 0) -> Path:
    """Train a tiny model of 4 features and return its folder."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(200, 4))
    labels = (features @ [1, -1, 0.5, 0] > 0).astype(int)
    table = features if name == "randomcutforest" else np.column_stack([labels, features])
    for part in ("train", "model", "output", "checkpoint"):
        (folder / part).mkdir(parents=True)
    np.savetxt(folder / "train" / "data.csv", table, delimiter=",", fmt="%.6f")
    image = ALGORITHMS[name]
    content_type = "text/csv;label_size=0" if name == "randomcutforest" else "text/csv"
    run = TrainingRun(
        read_hyperparameters(image.hyperparameters, {key: str(value) for key, value in HYPERPARAMETERS[name].items()}),
        {"train": Channel("train", folder / "train", content_type)},
        folder / "model",
        folder / "output",
        folder / "checkpoint",
        lambda line: None,
        lambda: False,
    )
    image.train(run)
    return folder / "model"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Container]:
    """Give the container of a built-in algorithm's tiny model."""
    made: dict[str, Container] = {}

    def container(name: str) -> Container:
        if name not in made:
            made[name] = Container(IMAGES[name], str(trained(name, tmp_path_factory.mktemp(name))))
        return made[name]

    return container


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Start an instance of containers, ready, and stop it at the end; its log is `start.lines`."""
    with ExitStack() as stack:
        started = []

        def run(*containers: Container, wait: bool = True, log: Callable[[str], None] | None = None) -> Instance:
            instance = Instance.start(containers, folder=tmp_path / f"instance-{len(started)}", log=log or lines.append)
            started.append(instance)
            stack.callback(instance.stop, 0.1)
            if wait:
                instance.wait(30)
            return instance

        lines: list[str] = []
        run.lines = lines  # type: ignore[attr-defined]
        yield run


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Start an instance of echo programs that add a word to what they are given; as many containers as words."""
    with ExitStack() as stack:
        started: list[Instance] = []

        def run(*words: str, wait: bool = True, log: Callable[[str], None] | None = None) -> Instance:
            processes = []
            for number, word in enumerate(words):
                folder = tmp_path / f"program-{len(started)}" / str(number)
                folder.mkdir(parents=True)
                command = Command([sys.executable, str(ECHO), word], folder, {"PATH": os.environ["PATH"]})
                processes.append(ModelProcess(folder, lambda command=command: command, log or (lambda line: None)))  # type: ignore[misc]
            names = [Container("own", hostname=f"host-{number}") for number in range(len(words))]
            instance = Instance(names, processes)
            started.append(instance)
            stack.callback(instance.stop, 0.1)
            if wait:
                instance.wait(30)
            return instance

        yield run


@pytest.fixture
def process_of() -> Callable[..., int]:
    """Give the id of an instance's process."""

    def pid(instance: Instance, number: int = 0) -> int:
        process = instance._processes[number]._process
        assert process is not None
        return process.pid

    return pid


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until something holds, at most 20 seconds."""

    def wait(holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.01)

    return wait
