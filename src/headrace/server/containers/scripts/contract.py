"""What a user's script is given, and how it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headrace.server.containers.contract import Metric
from headrace.server.sandbox import Folder


class ScriptFailed(Exception):  # noqa: N818
    """A script can't be started: its message becomes the FailureReason."""


@dataclass(frozen=True)
class Program:
    """A command for the sandbox: what it finds set, the folders that it sees, and whether it has a network.

    Where `confined` is false it is our own, which has a container engine confine the user's code: it runs as it is.
    """

    command: list[str]
    environment: dict[str, str] = field(repr=False)
    folders: tuple[Folder, ...] = ()
    network: bool = True
    confined: bool = True


@dataclass(frozen=True)
class Training:
    """A training job as a script sees it.

    `root` is the folder that the script finds as /opt/ml, with the channels in `input/data/<channel>`; `source` is the
    unpacked `sagemaker_submit_directory`, if there is one; `hyperparameters` and `environment` are as the request gave
    them; `entrypoint` and `arguments` are the AlgorithmSpecification's own, `command` what an own image is told without
    them. `credentials` are variables by which it finds the role's temporary credentials and the server, `shown` the
    folders that these name.
    """

    name: str
    arn: str
    image: str
    root: Path
    channels: tuple[str, ...]
    hyperparameters: Mapping[str, str]
    environment: Mapping[str, str]
    source: Path | None = None
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    command: tuple[str, ...] = ("train",)
    instance_type: str = "ml.m5.large"
    region: str = "us-east-1"
    metrics: tuple[Metric, ...] = ()
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    shown: tuple[Folder, ...] = ()
    network: bool = True
