"""Runs training scripts and models as the server does: in the sandbox, in environments shared by all tests."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from headrace.server.containers.scripts import Program, Training, serving_program, training_program
from headrace.server.containers.scripts.frameworks import FRAMEWORKS
from headrace.server.model_server import Container, frames
from headrace.server.sandbox import sandboxed

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
IMAGES = {
    "scikit-learn": f"{REGISTRY}/sagemaker-scikit-learn",
    "xgboost": f"{REGISTRY}/sagemaker-xgboost",
    "pytorch": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training",
    "tensorflow": "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training",
}


@dataclass
class Ended:
    """How a program ended: its exit code, what it printed, and its root folder."""

    code: int
    output: str
    root: Path
    program: Program
    log: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of environments that all test processes share."""
    return tmp_path_factory.getbasetemp().parent / "environments"


@pytest.fixture
def own_version() -> Callable[[str], str]:
    """Return a function from a framework's name to an image of the release that the server itself has."""
    from importlib.metadata import version

    def image(name: str) -> str:
        minor = ".".join(version(FRAMEWORKS[name].distributions[0]).split(".")[:2])
        return f"{IMAGES[name]}:{minor}-1-cpu-py3"

    return image


@pytest.fixture
def run(tmp_path: Path, environments: Path, own_version: Callable[[str], str]) -> Callable[..., Ended]:
    """Return a function that runs a training job with these source files and hyperparameters."""

    def run(files: dict[str, str], hyperparameters: dict[str, str] | None = None, **members: Any) -> Ended:
        root, source = tmp_path / "work" / "ml", tmp_path / "source"
        for name, text in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(text)
        channel = root / "input" / "data" / "train"
        channel.mkdir(parents=True, exist_ok=True)
        (channel / "rows.csv").write_text("1,2,3\n2,3,5\n3,5,8\n4,4,8\n")
        given = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": '"s3://bucket/source.tar.gz"'}
        job = {
            "name": "job-1",
            "arn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1",
            "image": own_version("scikit-learn"),
            "root": root,
            "channels": ("train",),
            "hyperparameters": given | (hyperparameters or {}),
            "environment": {},
            "source": source if files else None,
        }
        log: list[str] = []
        program = training_program(Training(**job | members), environments=environments, log=log.append)
        confined = sandboxed(
            program.command,
            folder=tmp_path / "work",
            folders=program.folders,
            environment=program.environment,
            network=program.network,
            hidden=(tmp_path,),
        )
        ended = subprocess.run(
            confined.command,
            env=confined.environment,
            cwd=tmp_path / "work",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=250,
        )
        return Ended(ended.returncode, ended.stdout, root, program, log)

    return run


@dataclass
class Served:
    """A model that serves; `ask` sends a message and returns the answer's head and body."""

    connection: socket.socket
    output: Path

    def ask(self, operation: str, body: bytes = b"", **head: Any) -> tuple[dict[str, Any], bytes]:
        """Return the head and body of an answer."""
        frames.send(self.connection, {"operation": operation, **head}, body)
        return self.more()

    def more(self) -> tuple[dict[str, Any], bytes]:
        """Return the next message."""
        answer = frames.receive(self.connection)
        assert answer is not None, self.output.read_text()
        return answer[0], bytes(answer[1])

    def invoke(self, body: bytes, content_type: str = "", accept: str = "", **head: Any) -> tuple[int, str, bytes]:
        """Return the status, content type and body of an answer."""
        said, content = self.ask("invoke", body, content_type=content_type, accept=accept, **head)
        return said["status"], said.get("content_type", ""), content


@pytest.fixture
def serve(tmp_path: Path, environments: Path, own_version: Callable[[str], str]) -> Iterator[Callable[..., Served]]:
    """Return a function that serves a model with a script, from the folder of a model."""
    started: list[subprocess.Popen[bytes]] = []

    def serve(model: Path, script: str = "", *, framework: str = "scikit-learn", **members: Any) -> Served:
        place = tmp_path / f"instance-{len(started)}"
        place.mkdir()
        if script:
            (model / "code").mkdir(exist_ok=True)
            (model / "code" / "inference.py").write_text(script)
        image = members.pop("image", None) or own_version(framework)
        container = Container(image, **{"folder": str(model)} | members)
        program = serving_program(container, environments=environments, socket=place / "s", log=print)
        confined = sandboxed(
            program.command,
            folder=place,
            folders=program.folders,
            environment=program.environment,
            network=program.network,
            hidden=(tmp_path / "hidden",),
        )
        output = place.with_suffix(".log")
        with output.open("wb") as log:
            started.append(
                subprocess.Popen(confined.command, env=confined.environment, cwd=place, stdout=log, stderr=log)
            )
        deadline = time.monotonic() + 60
        while not (place / "s").exists():
            assert started[-1].poll() is None and time.monotonic() < deadline, output.read_text()
            time.sleep(0.01)
        connection = socket.socket(socket.AF_UNIX)
        connections.append(connection)
        connection.connect(str(place / "s"))
        return Served(connection, output)

    connections: list[socket.socket] = []
    yield serve
    for connection in connections:
        connection.close()
    for process in started:
        process.kill()
        process.wait()
