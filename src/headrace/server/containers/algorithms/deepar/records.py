"""DeepAR's time series in JSON Lines and Parquet: start, target, cat and dynamic_feat, checked and laid end to end."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models.networks.sequences import Sequences
from headrace.server.containers.contract import Channel, ClientError
from headrace.server.containers.formats.channels import GZIP, data_files
from headrace.server.containers.formats.media_types import JSON, JSON_LINES, PARQUET, read_media_type

START = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
LARGEST = 1e30
FIELDS = ("start", "target", "cat", "dynamic_feat")


@dataclass(frozen=True)
class Record:
    """One series: `target` float64 with NaN where missing, `features` float64 [features, periods]."""

    start: np.datetime64
    target: npt.NDArray[np.float64]
    codes: tuple[int, ...] | None
    features: npt.NDArray[np.float64] | None


def read_records(channel: Channel) -> list[Record]:
    """Return the series of a channel's files; raises ClientError with the file and line of what is no series.

    A file's ending says what it is (.json, .json.gz, .jsonl, .parquet), or else the channel's content type.
    """
    found: list[Record] = []
    for path in data_files(channel):
        name = path.relative_to(channel.folder).as_posix()
        for number, document in _documents(path, name, channel.content_type):
            found.append(read_record(document, f"line {number} of file '{name}'"))
    if not found:
        raise ClientError(f"Channel '{channel.name}' has no time series.")
    return found


def read_record(document: Any, where: str) -> Record:
    """Return the series of a JSON object; `where` says in errors which one it is."""
    if not isinstance(document, Mapping):
        raise ClientError(f'The time series of {where} is no JSON object with "start" and "target".')
    for name in ("start", "target"):
        if document.get(name) is None:
            raise ClientError(f'The time series of {where} has no "{name}".')
    target = _numbers(document["target"], f'"target" of {where}', missing=True)
    codes, features = document.get("cat"), document.get("dynamic_feat")
    if codes is not None:
        codes = codes if isinstance(codes, Sequence) and not isinstance(codes, str) else [codes]
        if not all(type(code) is int and code >= 0 for code in codes):
            raise ClientError(f'"cat" of {where} must be a list of whole numbers from 0.')
    if features is not None:
        if not isinstance(features, Sequence) or not all(isinstance(each, Sequence) for each in features):
            raise ClientError(f'"dynamic_feat" of {where} must be a list of lists of numbers.')
        rows = [_numbers(each, f'"dynamic_feat" of {where}', missing=False) for each in features]
        if len({len(each) for each in rows}) > 1:
            raise ClientError(f'"dynamic_feat" of {where} has lists of different lengths.')
        features = np.stack(rows) if rows else None
    return Record(_start(document["start"], where), target, None if codes is None else tuple(codes), features)


def check_alike(
    records: Sequence[Record], cardinality: Sequence[int], features: int, what: Callable[[int], str], ahead: int = 0
) -> None:
    """Raise ClientError on the first series whose labels or features are not what the model takes.

    Features must cover the target and `ahead` periods more.
    """
    for number, record in enumerate(records):
        if len(cardinality):
            count = len(record.codes or ())
            if count != len(cardinality):
                raise ClientError(
                    f'"cat" of {what(number)} has {count} categories, and the model takes {len(cardinality)}.'
                )
            for place, (code, most) in enumerate(zip(record.codes or (), cardinality, strict=True)):
                if code >= most:
                    raise ClientError(
                        f'"cat" of {what(number)} has the category {code} at place {place + 1}, where the model knows '
                        f"0 to {most - 1} (cardinality {most})."
                    )
        if features:
            count = 0 if record.features is None else len(record.features)
            if count != features:
                raise ClientError(
                    f'"dynamic_feat" of {what(number)} has {count} features, and the model takes {features}.'
                )
            assert record.features is not None
            wanted, length = len(record.target) + ahead, record.features.shape[1]
            if length != wanted:
                of = f"the target's length {len(record.target)} and {ahead} periods ahead" if ahead else "the target"
                raise ClientError(
                    f'"dynamic_feat" of {what(number)} has lists of {length} numbers, and must have {wanted}: {of}.'
                )


def sequences_of(
    records: Sequence[Record],
    frequency: Frequency,
    labels: int,
    scaling: npt.NDArray[np.float64],
    *,
    ahead: int = 0,
    cut: int = 0,
) -> Sequences:
    """Return series end to end, without their last `cut` values and with `ahead` periods after them.

    `scaling` [2, features] are the mean and deviation that features are taken in.
    """
    targets = [record.target[: len(record.target) - cut] for record in records]
    lengths = np.array([len(target) for target in targets], np.int64)
    known = [np.zeros((0, scaling.shape[1]))]
    for record, length in zip(records, lengths, strict=True):
        wide = np.zeros((length + ahead, scaling.shape[1]))
        if scaling.shape[1] and record.features is not None:
            part = record.features[:, : length + ahead].T
            wide[: len(part)] = (part - scaling[0]) / scaling[1]
        known.append(wide)
    codes = [record.codes if record.codes is not None and labels else (-1,) * labels for record in records]
    starts = np.array([record.start for record in records], "datetime64[s]")
    return Sequences(
        frequency=frequency,
        start=frequency.ordinals(starts),
        offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        values=np.concatenate(targets).astype(np.float32),
        codes=np.array(codes, np.int64).reshape(len(records), labels),
        known=np.clip(np.concatenate(known), -10, 10).astype(np.float32),
        past=np.zeros((int(lengths.sum()) + len(records) * ahead, 0), np.float32),
        ahead=ahead,
    )


def parse(text: bytes, where: str) -> Any:
    """Return a JSON document; raises ClientError where it is none."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ClientError(f"The JSON of {where} is nested too deeply.") from None
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is no UTF-8"
        raise ClientError(f"Unable to parse the JSON of {where}: {reason}.") from None


def _documents(path: Path, name: str, content_type: str) -> Iterator[tuple[int, Any]]:
    declared = read_media_type(content_type).name if content_type else ""
    if name.endswith(".parquet") or (declared == PARQUET and not name.endswith((".json", ".json.gz", ".jsonl"))):
        yield from _parquet(path, name)
        return
    known = name.endswith((".json", ".json.gz", ".jsonl", ".jsonl.gz"))
    if not known and declared not in (JSON, JSON_LINES, "json", "json.gz"):
        raise ClientError(
            f"The format of file '{name}' is not known; let its name end in .json, .json.gz or .parquet, or give the "
            "channel the ContentType json or parquet."
        )
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if data[:2] == GZIP else data
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ClientError(f"File '{name}' is gzip that is damaged or cut off.") from None
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            yield number, parse(line, f"line {number} of file '{name}'")


def _parquet(path: Path, name: str) -> Iterator[tuple[int, Any]]:
    import polars

    try:
        table = polars.read_parquet(path)
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError) as error:
        shown = str(error).partition("\n")[0][:200]
        raise ClientError(f"Failed to load parquet data of file '{name}': {shown}.") from None
    for number, row in enumerate(
        table.select(each for each in table.columns if each in FIELDS).iter_rows(named=True), 1
    ):
        start = row.get("start")
        yield number, row | {"start": start if start is None or isinstance(start, str) else str(start)}


def _start(text: Any, where: str) -> np.datetime64:
    if isinstance(text, str) and START.fullmatch(text.strip()):
        try:
            return np.datetime64(text.strip().replace(" ", "T"), "s")
        except ValueError:
            pass
    raise ClientError(
        f"\"start\" of {where} is '{str(text)[:50]}', which is no time as YYYY-MM-DD HH:MM:SS; a time "
        "zone is not allowed."
    )


def _numbers(values: Any, what: str, *, missing: bool) -> npt.NDArray[np.float64]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise ClientError(f"{what} must be a list of numbers.")
    found = np.empty(len(values))
    for place, value in enumerate(values):
        if type(value) in (int, float) and abs(value) <= LARGEST:
            found[place] = value
        elif missing and (value is None or value == "NaN" or (isinstance(value, float) and value != value)):
            found[place] = np.nan
        else:
            shown = "missing" if value is None or value == "NaN" or value != value else f"'{str(value)[:50]}'"
            raise ClientError(f"{what} has the value {shown} at place {place + 1}, which is no finite number.")
    return found
