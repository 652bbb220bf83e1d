"""What a built-in image is: what it asks for, what it trains, and how its model answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from headrace.server.containers.hyperparameters import Parameter

Floats = npt.NDArray[np.float32]


class ClientError(Exception):
    """A mistake in the job's own request or data: its message becomes the FailureReason, after "ClientError: "."""


class UnsupportedContentType(Exception):  # noqa: N818 (HTTP 415)
    """The content type of a request, or the one it accepts, is none that the model speaks."""


class NotAcceptable(UnsupportedContentType):
    """The content type that a request accepts is none that the model answers with (HTTP 406)."""


@dataclass(frozen=True)
class Rows:
    """Rows as formats read and write them.

    `features` is [rows, columns], dense float32 with NaN where missing, or a scipy CSR matrix of it; `labels` is
    [rows] or [rows, label_size] float32, `weights` [rows], `groups` [rows] the query of each row where rows are
    ranked; each is None where the format has none.
    """

    features: Any
    labels: Floats | None = None
    weights: Floats | None = None
    names: tuple[str, ...] = ()
    groups: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Channel:
    """One input of a training job: its files under `folder`, and the content type that it declared."""

    name: str
    folder: Path
    content_type: str = ""


@dataclass(frozen=True)
class TrainingRun:
    """What `train` is given.

    `hyperparameters` are parsed and complete; `model` is the empty folder that becomes model.tar.gz, `output` that of
    output.tar.gz, `checkpoint` one that outlives attempts. `log` takes a line that goes to CloudWatch (metrics are
    found in it by the image's regular expressions); `stopped` tells that StopTrainingJob was called: `train` then
    saves what it has and returns.
    """

    hyperparameters: Mapping[str, Any]
    channels: Mapping[str, Channel]
    model: Path
    output: Path
    checkpoint: Path
    log: Callable[[str], None]
    stopped: Callable[[], bool]
    seed: int = 0


class Predictor(ABC):
    """A loaded model of a built-in image; safe to call from several threads."""

    @abstractmethod
    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Return the answer to one request and its content type.

        Raises ClientError on a body that does not fit (400), UnsupportedContentType (415).
        """


@dataclass(frozen=True)
class Metric:
    """A metric as DescribeTrainingJob reports it, and the regular expression that finds it in the log."""

    name: str
    pattern: str


@dataclass(frozen=True)
class ChannelRule:
    """A channel that an image takes: whether it must be there, and the content types that it reads (first: default)."""

    required: bool
    content_types: tuple[str, ...]


class BuiltIn(ABC):
    """A built-in image.

    `name` is the algorithm's own; `repositories` are the image names in AWS's registries that mean it ("xgboost",
    "sagemaker-xgboost"); `metrics` are its own definitions.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    repositories: ClassVar[tuple[str, ...]]
    hyperparameters: ClassVar[Mapping[str, Parameter]]
    channels: ClassVar[Mapping[str, ChannelRule]]
    metrics: ClassVar[Sequence[Metric]] = ()
    distributed: ClassVar[bool] = False

    def check(self, hyperparameters: Mapping[str, Any], channels: Sequence[str]) -> None:
        """Raise ClientError where hyperparameters that are allowed one by one do not go together."""
        del hyperparameters, channels

    @abstractmethod
    def train(self, run: TrainingRun) -> None:
        """Fit a model on the channels and leave it in `run.model`; raises ClientError on data that cannot be learnt."""

    @abstractmethod
    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> Predictor:
        """Return the model in a folder, without unpickling anything; raises ClientError on a foreign or damaged one.

        `environment` is that of the model's container definition, where some images look for what to answer.
        """


@dataclass(frozen=True)
class Reply:
    """What a model says of each row, before a format writes it: arrays by the names of the JSON reply."""

    columns: Mapping[str, npt.NDArray[Any]]
    key: str = "predictions"
    extra: Mapping[str, Any] = field(default_factory=dict)
