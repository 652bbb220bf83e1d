"""The image `headrace`: serves what `headrace run` and Autopilot leave, raw rows in, labels or numbers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from headrace.ml.errors import HeadraceError, InputError
from headrace.server.containers.algorithms.headrace.answers import choose_keys, write_answer
from headrace.server.containers.algorithms.headrace.rows import Columns, Frame, read_frame
from headrace.server.containers.contract import BuiltIn, ChannelRule, ClientError, Predictor, TrainingRun
from headrace.server.containers.formats.media_types import CSV, JSON, JSON_LINES, negotiate
from headrace.server.containers.hyperparameters import Parameter

if TYPE_CHECKING:
    from headrace.ml.prediction.model import Model

MANIFEST = "manifest.json"
NESTED = "model"
ACCEPTS = (CSV, JSON, JSON_LINES)
DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
KEYS = "SAGEMAKER_INFERENCE_OUTPUT"


class Headrace(BuiltIn):
    """Headrace's own image: a compiled model with its feature engineering inside; it serves, and trains nothing."""

    name = "headrace"
    title = "Headrace"
    repositories = ("headrace",)
    hyperparameters: ClassVar[Mapping[str, Parameter]] = {}
    channels: ClassVar[Mapping[str, ChannelRule]] = {}

    def train(self, run: TrainingRun) -> None:
        """Raise ClientError: a training job is none of its work."""
        del run
        raise ClientError(
            "The image headrace serves models and trains none; train with headrace run or CreateAutoMLJobV2."
        )

    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> Predictor:
        """Return the model of a folder that has the files of OUT/model at its top, or in its folder `model`.

        Of the environment, SAGEMAKER_INFERENCE_OUTPUT names what is answered of a row, and
        SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT the content type of answers where none is asked for.
        AWS page: SageMaker Developer Guide, Configure inference output in generated containers.
        """
        given = environment or {}
        if not (folder / MANIFEST).is_file() and (folder / NESTED / MANIFEST).is_file():
            folder = folder / NESTED
        if not (folder / MANIFEST).is_file():
            raise ClientError(
                f"The model archive has no {MANIFEST}; it must hold the files of OUT/model at its top, as headrace run "
                "leaves them."
            )
        from headrace.ml.prediction import load

        try:
            model = load(folder, threads=1)
        except HeadraceError as error:
            sentence = str(error).replace(f"{folder}/", "").replace(str(folder), "the model archive")
            raise ClientError(f"{sentence[:1].upper()}{sentence[1:]}.") from error
        return HeadracePredictor(model, given.get(KEYS, ""), given.get(DEFAULT_ACCEPT, ""))


class HeadracePredictor(Predictor):
    """Serves a compiled model; its threads share it."""

    def __init__(self, model: Model, keys: str = "", accept: str = "") -> None:
        """Answer with `keys` (comma-separated) of each row, in the content type `accept` where none is asked for."""
        self.model = model
        self.classes = model.manifest.classes
        self.banded = model.manifest.interval is not None
        self.keys: Sequence[str] = choose_keys(keys, classes=bool(self.classes), banded=self.banded)
        self.accept = accept
        self.columns = columns_of(model)
        negotiate(accept, ACCEPTS)

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Return the answer for the rows of a request: a line, or an item, for each."""
        wanted = negotiate(accept if accept.strip() not in ("", "*/*") else self.accept, ACCEPTS).name
        frame = read_frame(body, content_type, self.columns)
        try:
            answers = self._predict(frame)
        except InputError as error:
            raise ClientError(f"The request does not fit the model: {error}.") from None
        return write_answer(answers, self.keys, self.classes, wanted), wanted

    def _predict(self, frame: Frame) -> list[dict[str, Any]]:
        """Return each row's `prediction`, and its `probability_<class>` or `lower` and `upper`."""
        answer = self.model.predict(frame, proba=True)
        if hasattr(answer, "to_dicts"):
            found: list[dict[str, Any]] = answer.to_dicts()
            return found
        return [answer if isinstance(answer, dict) else {"prediction": answer}]


def columns_of(model: Model) -> Columns:
    """Return the columns whose values a request may give: those that the model reads, and those of its table."""
    manifest = model.manifest
    table = tuple(str(name) for name in manifest.provenance.get("columns", ()) if name != manifest.target)
    return Columns(tuple(column.name for column in manifest.columns), table, manifest.target)
