"""The manifest of a saved model: what goes in, what comes out, how it was made, and the checksum of every file."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.errors import ModelError, OutputError
from headrace.ml.prediction.sets import METHODS, SetRule
from headrace.ml.tables.columns import Column, ColumnKind
from headrace.ml.tables.joining.plan import JoinPlan, read_plan

FORMAT_VERSION = 2
"""Written into new manifests. A promise: every release loads all formats from 1 to its own, and predicts the same."""
MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model.onnx"
BASELINE_FILE = "baseline.json"
EXPLANATION_ARRAYS, EXPLANATION_GRAPH = "explanation.npz", "explanation.onnx"
"""Only explaining reads them, and only exactly; a model does without."""


@dataclass(frozen=True)
class Input:
    """A column that the model reads; one that is not `required` may be absent and then counts as all missing."""

    column: Column
    required: bool = True


@dataclass(frozen=True)
class Output:
    """An output of the graph: `kind` is its ONNX element type, `shape` has the word rows for the first dimension."""

    name: str
    kind: str
    shape: tuple[int | str, ...]


def output_name(role: str, columns: Container[str]) -> str:
    """Return what the graph calls its output `role`: underscores are added where a column has that name.

    >>> output_name("prediction", ["age", "prediction"])
    'prediction_'
    """
    return role if role not in columns else output_name(f"{role}_", columns)


@dataclass(frozen=True)
class FileRecord:
    """What a file of the model must be: lower-case hexadecimal SHA-256, and size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """Everything about a saved model but its arrays.

    `classes` are in code order (for binary the positive class is last), empty for regression. `threshold` applies
    to the positive class's probability. `metrics`: part (train, validation, test) → metric → value. `interval` is
    half the (median) width of the band between the outputs lower and upper, in units of the target, None without a
    band. `sets` is the rule of prediction sets (format 2). `coverage` is the share of rows that band or sets are
    meant to hold. `provenance`: source, sha256, columns and rows of the table, seed, created (UTC, ISO 8601),
    versions. `joins` are the tables to join to the rows first (format 2). `window` is how many values of a
    series the model reads at once (1: rows by themselves). `files` maps each file of the folder but the manifest to its
    record.
    """

    task: Task
    target: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    classes: tuple[str, ...] = ()
    threshold: float | None = None
    interval: float | None = None
    coverage: float | None = None
    sets: SetRule | None = None
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    joins: tuple[JoinPlan, ...] = ()
    window: int = 1
    headrace_version: str = ""
    format_version: int = FORMAT_VERSION

    @property
    def columns(self) -> tuple[Column, ...]:
        """The input columns, in order."""
        return tuple(item.column for item in self.inputs)

    def to_json(self) -> str:
        """Render as the text of manifest.json."""
        document = asdict(self)
        document["inputs"] = [asdict(item.column) | {"required": item.required} for item in self.inputs]
        order = ["format_version", "headrace_version"]
        document = {key: document[key] for key in [*order, *(key for key in document if key not in order)]}
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, folder: Path) -> None:
        """Write manifest.json into `folder`, whole or not at all; `OutputError` where that fails."""
        write_text(folder / MANIFEST_FILE, self.to_json())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read manifest.json strictly; `ModelError` when it is absent, damaged or of a newer format."""
        path = folder / MANIFEST_FILE
        document = read_json(path)
        version = document.get("format_version")
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise ModelError(f"'{path}' has no valid format_version ({version!r}); save the model again")
        if version > FORMAT_VERSION:
            made_by = document.get("headrace_version") or "unknown"
            raise ModelError(
                f"'{folder}' was made by a newer Headrace ({made_by}, model format {version}; this one reads up to "
                f"{FORMAT_VERSION}); upgrade headrace"
            )
        try:
            return parse_manifest(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"'{path}' is damaged ({_reason(error)}); copy or train the model again") from error


def parse_manifest(document: dict[str, Any]) -> Manifest:
    """Build a manifest of a known format from its JSON; raises what Python raises for a document that is damaged."""
    _refuse_unknown(document, Manifest)
    numbers = {key: document.get(key) for key in ("threshold", "interval", "coverage")}
    manifest = Manifest(
        task=Task(document["task"]),
        target=str(document["target"]),
        inputs=tuple(_input(item) for item in document["inputs"]),
        outputs=tuple(Output(item["name"], item["kind"], tuple(item["shape"])) for item in document["outputs"]),
        classes=tuple(str(name) for name in document.get("classes", ())),
        **{key: None if value is None else float(value) for key, value in numbers.items()},
        sets=None if document.get("sets") is None else _set_rule(document["sets"]),
        metrics=dict(document.get("metrics", {})),
        provenance=dict(document.get("provenance", {})),
        window=int(document.get("window", 1)),
        joins=tuple(read_plan(item) for item in document.get("joins", ())),
        files={_safe(name): FileRecord(str(f["sha256"]), int(f["size"])) for name, f in document["files"].items()},
        headrace_version=str(document.get("headrace_version", "")),
        format_version=document["format_version"],
    )
    names = [column.name for column in manifest.columns]
    if len(set(names)) != len(names):
        raise ValueError("an input is listed twice")
    if problem := _class_problem(manifest):
        raise ValueError(problem)
    if MODEL_FILE not in manifest.files and manifest.task is not Task.ASSOCIATION_RULES:
        raise ValueError(f"no checksum of {MODEL_FILE}")
    return manifest


def _class_problem(manifest: Manifest) -> str | None:
    if manifest.task is Task.CLUSTERING and manifest.classes:
        return None
    if manifest.task not in CLASSIFICATION:
        return f"{len(manifest.classes)} classes for {manifest.task}" if manifest.classes else None
    fits = len(manifest.classes) == 2 if manifest.task == Task.BINARY else len(manifest.classes) > 1
    distinct = len(set(manifest.classes)) == len(manifest.classes)
    return None if fits and distinct else f"classes {list(manifest.classes)} for {manifest.task}"


def _set_rule(item: dict[str, Any]) -> SetRule:
    _refuse_unknown(item, SetRule)
    rule = SetRule(str(item["method"]), float(item["bound"]), float(item["penalty"]), int(item["free"]))
    if rule.method not in METHODS:
        raise ValueError(f"unknown method {rule.method!r} of prediction sets")
    return rule


def _input(item: dict[str, Any]) -> Input:
    details: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in item.items()}
    required, kind = details.pop("required", True), ColumnKind(details.pop("kind"))
    _refuse_unknown(details, Column)
    return Input(Column(kind=kind, **details), bool(required))


def _safe(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or name in {"", ".", MANIFEST_FILE}:
        raise ValueError(f"file name {name!r} points outside of the model's folder")
    return name


def _refuse_unknown(document: Mapping[str, Any], record: type[Any]) -> None:
    known = {item.name for item in fields(record)}
    if unknown := sorted(set(document) - known):
        raise ValueError(f"unknown key {unknown[0]!r}")


def _reason(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; `ModelError` when the file is absent, unreadable or not an object."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = "the folder does not exist" if not path.parent.is_dir() else f"it has no {path.name}"
        raise ModelError(f"'{path.parent}' is not a model folder: {hint}; pass the model/ folder of a run") from error
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read ({error.strerror}); check the path and its permissions") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"'{path}' is damaged (not valid JSON); copy or train the model again") from error
    if not isinstance(document, dict):
        raise ModelError(f"'{path}' is damaged (not a JSON object); copy or train the model again")
    return document


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all: a temporary file beside it, flushed to disk, then renamed."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise OutputError(
            f"'{path}' cannot be written ({error.strerror}); free space or choose another folder"
        ) from error


def record_content(content: bytes) -> FileRecord:
    """Return the SHA-256 and the size of a file's content."""
    return FileRecord(hashlib.sha256(content).hexdigest(), len(content))


def read_content(path: Path) -> bytes:
    """Read a file of the model; `ModelError` when it is absent or unreadable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"'{path}', which the manifest lists, cannot be read ({error.strerror}); copy or train the model again"
        ) from error
