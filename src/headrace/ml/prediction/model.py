"""A saved model, ready to predict: one row in a fraction of a millisecond, or a table in chunks."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Task
from headrace.ml.errors import InputError, ModelError, OptionError
from headrace.ml.prediction.baseline import Baseline
from headrace.ml.prediction.manifest import (
    BASELINE_FILE,
    MODEL_FILE,
    Manifest,
    output_name,
    read_content,
    record_content,
)
from headrace.ml.prediction.reader import TEXTUAL, read_rows, require_columns, row_reader
from headrace.ml.prediction.session import default_threads, direct_run, open_session, run_frame
from headrace.ml.prediction.sets import SetRule
from headrace.ml.prediction.unseen import unseen_notes
from headrace.ml.prediction.windows import with_lags
from headrace.ml.tables.columns import ColumnKind

if TYPE_CHECKING:
    import polars as pl

    from headrace.ml.tables.table import Table

Buffers = tuple[npt.NDArray[Any], npt.NDArray[Any], dict[str, npt.NDArray[Any]]]
"""One thread's numbers, texts, and the input tensors [1, 1] that are windows on them."""


class Model:
    """A compiled model and its manifest.

    `columns` are the inputs that the graph reads. `notes` says, a sentence each, what was worked around in the rows of
    the last batch: columns ignored or absent, values that could not be read, labels never seen in training.
    """

    def __init__(self, manifest: Manifest, graph: bytes, folder: Path, threads: int | None = None) -> None:
        """Open the graph; `threads` share a large batch (all processors up to four without it)."""
        self.manifest, self.folder = manifest, folder
        self.threads = default_threads() if threads is None else max(1, threads)
        self.notes: tuple[str, ...] = ()
        self._classification = bool(manifest.classes)
        self._threshold = float(np.float32(0.5 if manifest.threshold is None else manifest.threshold))
        self._session = open_session(graph, str(folder / MODEL_FILE))
        present = {item.name for item in self._session.get_inputs()}
        if unknown := present - {column.name for column in manifest.columns}:
            raise ModelError(
                f"'{folder / MODEL_FILE}' reads {sorted(unknown)}, which its manifest lacks; train it again"
            )
        names = {column.name for column in manifest.columns}
        published = {item.name for item in manifest.outputs}
        bounds = [role for role in ("lower", "upper", "is_anomaly") if output_name(role, names) in published]
        self._shown = ["probabilities"] if self._classification else ["prediction", *bounds]
        self._outputs = [output_name(role, names) for role in self._shown]
        if manifest.task is Task.ANOMALY_DETECTION:
            self._shown[0] = "score"
        outputs = {*self._outputs, *(item.name for item in manifest.outputs)}
        if lost := outputs - {item.name for item in self._session.get_outputs()}:
            raise ModelError(
                f"'{folder / MODEL_FILE}' has no output {sorted(lost)}, which its manifest names; train again"
            )
        self.columns = tuple(column for column in manifest.columns if column.name in present)
        self._fed = [column.name for column in self.columns]
        self._run = direct_run(self._session)
        self._readers = [(c.name, row_reader(c), c.kind in TEXTUAL) for c in manifest.columns]
        self._picture_readers = [(c.name, row_reader(c)) for c in self.columns if c.kind is ColumnKind.PICTURE]
        pictured = {column.name for column in manifest.columns if column.kind is ColumnKind.PICTURE}
        self._number_readers = [(n, read) for n, read, textual in self._readers if not textual and n not in pictured]
        self._text_readers = [(name, read) for name, read, textual in self._readers if textual]
        self._local = threading.local()
        self._baseline: Baseline | None = None

    @classmethod
    def load(cls, folder: str | Path, threads: int | None = None) -> Model:
        """Load a model folder, after checking its manifest and the SHA-256 of every file.

        Raises `ModelError` when the folder is absent, damaged, incomplete or made by a newer format.
        """
        folder = Path(folder)
        manifest = Manifest.read(folder)
        contents = {}
        for name, record in manifest.files.items():
            content = read_content(folder / name)
            if record_content(content) != record:
                raise ModelError(
                    f"'{folder / name}' is damaged ({len(content)} bytes, and not those its manifest has the checksum "
                    "of); copy or train the model again"
                )
            contents[name] = content
        model = cls(manifest, contents[MODEL_FILE], folder, threads)
        if BASELINE_FILE in contents:
            model._baseline = Baseline.from_json(contents[BASELINE_FILE], folder / BASELINE_FILE)
        return model

    @property
    def baseline(self) -> Baseline:
        """What the training rows looked like; `ModelError` where it was not saved with the model."""
        if self._baseline is None:
            raise ModelError(f"'{self.folder}' has no {BASELINE_FILE}, which explaining needs; train the model again")
        return self._baseline

    def predict(self, data: Any, proba: bool = False, sets: bool = False) -> Any:
        """Predict one row (a dict of values), or many.

        Many are a list of dicts, a dict of lists, or a Polars, pandas or Arrow frame.
        One row gives a label or a number, or with `proba` (and for models with a band always) a dict of the
        columns that a frame would have: `prediction`, then `probability_<class>`, or `lower` and `upper`; with
        `sets` also `prediction_set`, the classes that cannot be ruled out. Many rows give a Polars frame.
        Raises `InputError` for a column that is absent, or a number or date that cannot be read.
        """
        if isinstance(data, bytes | str | Path):
            data = {self._only_column(data): Path(data) if isinstance(data, str) and self._picture_readers else data}
        if isinstance(data, Mapping) and not all(map(_is_list, data.values())):
            return self._predict_row(data, proba, sets)
        typed = read_rows(data, self.manifest.inputs)
        self.notes = typed.notes + unseen_notes(typed.frame, self._baseline, None)
        return self.predict_columns(typed.frame, proba, sets)

    def _only_column(self, data: bytes | str | Path) -> str:
        """Return the model's one input, which a picture or a text may be given for by itself."""
        column = self.columns[0] if len(self.columns) == 1 else None
        if column is None or column.kind not in (ColumnKind.PICTURE, ColumnKind.TEXT):
            names = ", ".join(f"'{each.name}'" for each in self.columns[:5])
            given = type(data).__name__
            raise InputError(f"a single {given} was given, and the model reads {names}; give a dict of them")
        return column.name

    def predict_table(self, table: Table, proba: bool = True, sets: bool = False) -> pl.DataFrame:
        """Predict every row of a table that was read; the column `row` is its 1-based position in the source."""
        import polars as pl

        rows, window = table.rows.tolist(), self.manifest.window
        frame = with_lags(table.frame, [column.name for column in self.manifest.columns], window)
        typed = read_rows(frame, self.manifest.inputs, rows)
        self.notes = typed.notes + unseen_notes(typed.frame, self._baseline, rows)
        predictions = self.predict_columns(typed.frame, proba, sets)
        if window > 1:
            whole = pl.int_range(predictions.height, eager=True) >= window - 1
            predictions = predictions.with_columns(pl.when(whole).then(pl.all()))
            self.notes = (*self.notes, f"the first {window - 1} rows have no full window and no score")
        return predictions.insert_column(0, pl.Series("row", table.rows, dtype=pl.Int64))

    def predict_frame(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Predict parsed columns: probabilities [rows, classes], or values [rows]."""
        output = run_frame(self._run, frame, self._fed, self._outputs[:1], self.threads)[0].astype(np.float64)
        return output if self._classification else output.reshape(-1)

    def labels(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Turn probabilities [rows, classes] into class codes: by the threshold for two classes, else the likeliest."""
        if self.manifest.task == Task.BINARY:
            return (probabilities[:, 1] >= self._threshold).astype(np.int64)
        return np.asarray(np.argmax(probabilities, axis=1), np.int64)

    def predict_columns(self, frame: pl.DataFrame, proba: bool = True, sets: bool = False) -> pl.DataFrame:
        """Predict parsed columns: a frame of `prediction`, and `probability_<class>` or `lower` and `upper`.

        With `sets`, `prediction_set` lists the classes that cannot be ruled out.
        """
        import polars as pl

        outputs = [o.astype(np.float64) for o in run_frame(self._run, frame, self._fed, self._outputs, self.threads)]
        if not self._classification:
            if sets:
                self._set_rule()
            columns = {name: pl.Series(o.reshape(-1)) for name, o in zip(self._shown, outputs, strict=True)}
            return pl.DataFrame({n: values > 0.5 if n == "is_anomaly" else values for n, values in columns.items()})
        probabilities = outputs[0]
        codes = pl.Series(self.labels(probabilities))
        columns = {"prediction": pl.Series(self.manifest.classes, dtype=pl.String).gather(codes)}
        if proba:
            columns |= {f"probability_{c}": pl.Series(probabilities[:, i]) for i, c in enumerate(self.manifest.classes)}
        if sets:
            columns["prediction_set"] = pl.Series(self.prediction_sets(probabilities), dtype=pl.List(pl.String))
        return pl.DataFrame(columns)

    def prediction_sets(self, probabilities: npt.NDArray[np.float64]) -> list[list[str]]:
        """Return, for each row of probabilities [rows, classes], the classes that cannot be ruled out, likeliest first.

        The true class is among them in the manifest's `coverage` of all rows. Raises `OptionError` for a model of
        values, and for one without a rule: made by an older release, or from too few rows.
        """
        inside, order = self._set_rule().members(probabilities), np.argsort(-probabilities, axis=1, kind="stable")
        classes = self.manifest.classes
        return [[classes[code] for code in ranked if row[code]] for ranked, row in zip(order, inside, strict=True)]

    def _set_rule(self) -> SetRule:
        if self.manifest.sets is not None:
            return self.manifest.sets
        what = "was saved without a rule for them (too few held-out rows, or an older release); train it again"
        if not self._classification:
            what = "predicts values, and has lower and upper in their place; leave --set out"
        raise OptionError(f"the model in '{self.folder}' has no prediction sets: it {what}")

    def _predict_row(self, row: Mapping[str, Any], proba: bool, sets: bool) -> Any:
        outputs = self._run(self._outputs, self._feed(row), None)
        if not self._classification:
            if sets:
                self._set_rule()
            if len(outputs) == 1 and not proba:
                return outputs[0].item()
            values = {name: output.item() for name, output in zip(self._shown, outputs, strict=True)}
            return {name: value > 0.5 if name == "is_anomaly" else value for name, value in values.items()}
        probabilities = outputs[0][0].tolist()
        classes = self.manifest.classes
        if len(classes) == 2:
            label = classes[probabilities[1] >= self._threshold]
        else:
            label = classes[probabilities.index(max(probabilities))]
        if not (proba or sets):
            return label
        answer: dict[str, Any] = {"prediction": label}
        if proba:
            answer |= {f"probability_{name}": value for name, value in zip(classes, probabilities, strict=True)}
        if sets:
            (answer["prediction_set"],) = self.prediction_sets(np.array([probabilities]))
        return answer

    def _feed(self, row: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
        try:
            buffers: Buffers = self._local.buffers
        except AttributeError:
            buffers = self._local.buffers = self._allocate()
        numbers, texts, feed = buffers
        try:
            numbers[:] = [read(row[name]) for name, read in self._number_readers]
            texts[:] = [read(row[name]) for name, read in self._text_readers]
            for name, read in self._picture_readers:
                feed[name][0] = read(row[name])
        except KeyError:
            absent = require_columns(list(row), self.manifest.inputs)
            if not absent:
                raise
            return self._feed({**row, **dict.fromkeys(absent)})
        return feed

    def _allocate(self) -> Buffers:
        numbers = np.empty(len(self._number_readers), np.float64)
        texts = np.empty(len(self._text_readers), object)
        feed = {name: numbers[i : i + 1].reshape(1, 1) for i, (name, _) in enumerate(self._number_readers)}
        feed |= {name: texts[i : i + 1].reshape(1, 1) for i, (name, _) in enumerate(self._text_readers)}
        pictures = (column for column in self.columns if column.kind is ColumnKind.PICTURE)
        feed |= {column.name: np.zeros((1, math.prod(column.shape)), np.uint8) for column in pictures}
        return numbers, texts, {name: feed[name] for name in self._fed}


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) or (hasattr(value, "to_numpy") or isinstance(value, np.ndarray))
