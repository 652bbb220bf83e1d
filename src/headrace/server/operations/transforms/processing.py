"""DataProcessing: what of each record the model gets, and how its answers are joined with the input and filtered.

Source: AWS page "Associate Prediction Results with Input Records".
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from headrace.server.containers.contract import ClientError
from headrace.server.containers.formats.media_types import CSV, JSON, JSON_LINES, read_media_type
from headrace.server.operations.transforms.paths import WHOLE, JsonPath, written
from headrace.server.operations.transforms.splitting import Batch, Record

INPUT, OUTPUT = "SageMakerInput", "SageMakerOutput"
INFERENCE_ID, INFERENCE_TIME = "SageMakerInferenceId", "SageMakerInferenceTime"
PROCESSED = (CSV, JSON, JSON_LINES)


@dataclass(frozen=True)
class Processing:
    """What DataProcessing and the formats of a job ask for.

    `inference_time` is the job's start where each result gets an inference id and that time, else "". `in_lines` tells
    that the input is split at lines, so that each is a record.
    """

    content_type: str = ""
    accept: str = ""
    input_filter: JsonPath = WHOLE
    output_filter: JsonPath = WHOLE
    joined: bool = False
    inference_time: str = ""
    in_lines: bool = True
    assembled_with_line: bool = False

    @property
    def reads_input(self) -> bool:
        """Whether records are looked into, so that their format must be CSV or JSON."""
        return self.joined or not self.input_filter.whole

    @property
    def reads_output(self) -> bool:
        """Whether answers are looked into."""
        return self.joined or not self.output_filter.whole or bool(self.inference_time)

    def filtered(self, records: Iterator[Record]) -> Iterator[Record]:
        """Yield the records with what the model gets of each; raises ClientError where the filter finds nothing."""
        if self.input_filter.whole:
            return records
        pick = self._csv_picker() if _media(self.content_type) == CSV else self._json_picker()
        return (Record(record.raw, pick(record.raw)) for record in records)

    def finished(self, batch: Batch, body: bytes, content_type: str) -> bytes:
        """Return what the answer to a batch adds to the output object; raises ClientError where it does not fit."""
        if not self.reads_output:
            return body if not self.assembled_with_line or not body or body.endswith(b"\n") else body + b"\n"
        media = _media(self.accept or content_type or self.content_type)
        if media == CSV:
            return self._finished_csv(batch, body)
        if media in PROCESSED:
            return self._finished_json(batch, body)
        raise ClientError(f"results of type {media!r} can't be joined or filtered; set Accept to text/csv or JSON")

    def _csv_picker(self) -> Callable[[bytes], bytes]:
        columns = self.input_filter.columns()

        def pick(record: bytes) -> bytes:
            row = columns(read_row(record))
            if not row:
                raise ClientError(f"the input filter {self.input_filter.text} leaves no column of a record")
            return write_row(row)

        return pick

    def _json_picker(self) -> Callable[[bytes], bytes]:
        return lambda record: written(self.input_filter.select(read_json(record, "a record of the input")))

    def _finished_csv(self, batch: Batch, body: bytes) -> bytes:
        rows = [read_row(line) for line in body.splitlines() if line.strip()]
        if self.joined:
            if _media(self.content_type) != CSV:
                raise ClientError("the input is JSON and the results are CSV; set Accept to the input's type to join")
            if len(rows) == 1 and batch.count > 1 and len(rows[0]) == batch.count:
                rows = [[each] for each in rows[0]]
            self._check_count(len(rows), batch.count)
            rows = [read_row(record) + row for record, row in zip(batch.records, rows, strict=True)]
        columns = self.output_filter.columns()
        return b"".join(write_row(columns(row) + self._inference()) + b"\n" for row in rows)

    def _finished_json(self, batch: Batch, body: bytes) -> bytes:
        values = read_documents(body)
        if self.joined:
            if _media(self.content_type) == CSV:
                raise ClientError("the input is CSV and the results are JSON; set Accept to text/csv to join them")
            self._check_count(len(values), batch.count)
            values = [
                join_json(read_json(record, "a record of the input"), value)
                for record, value in zip(batch.records, values, strict=True)
            ]
        values = [self._with_inference(self.output_filter.select(value)) for value in values]
        end = b"\n" if self.in_lines or self.assembled_with_line or len(values) > 1 else b""
        return b"".join(written(value) + end for value in values)

    def _with_inference(self, value: Any) -> Any:
        if not self.inference_time:
            return value
        added = dict(zip((INFERENCE_ID, INFERENCE_TIME), self._inference(), strict=True))
        return (value if isinstance(value, dict) else {OUTPUT: value}) | added

    def _inference(self) -> list[str]:
        return [str(uuid4()), self.inference_time] if self.inference_time else []

    def _check_count(self, results: int, records: int) -> None:
        if results != records:
            raise ClientError(
                f"the model answered {records} records with {results} results, which can't be joined; "
                "set BatchStrategy to SingleRecord, or Accept to the type of the input"
            )


def join_json(record: Any, result: Any) -> dict[str, Any]:
    """Return a JSON record with its result under SageMakerOutput; one that is no object goes under SageMakerInput."""
    return {**record, OUTPUT: result} if isinstance(record, dict) else {INPUT: record, OUTPUT: result}


def read_row(line: bytes) -> list[str]:
    """Return the columns of a line of CSV (RFC 4180); raises ClientError."""
    try:
        text = line.decode()
        if '"' not in text:
            return text.split(",")
        return next(csv.reader([text], strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ClientError(f"a record is no line of CSV: {error}") from error


def write_row(row: Sequence[str]) -> bytes:
    """Return columns as a line of CSV without its end."""
    line = ",".join(row)
    if len(row) - 1 == line.count(",") and not any(mark in line for mark in '"\r\n'):
        return line.encode()
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue().encode()


def read_json(text: bytes, what: str) -> Any:
    """Return a JSON value; raises ClientError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClientError(f"{what} is no JSON: {error}") from error


def read_documents(body: bytes) -> list[Any]:
    """Return the values of JSON, or of JSON Lines; raises ClientError."""
    try:
        return [json.loads(body)]
    except (ValueError, RecursionError):
        return [read_json(line, "the model's answer") for line in body.splitlines() if line.strip()]


def _media(content_type: str) -> str:
    return read_media_type(content_type).name
