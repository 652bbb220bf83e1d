"""What a transform job makes: each object's output staged while it grows, all to appear in S3 at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.operations.storage.transfer import DIGESTS, Key, encryption, parse_uri, put
from headrace.server.operations.transforms.inputs import Input, output_key
from headrace.server.stores.objects import Staged
from headrace.server.stores.objects.contract import ObjectStore, Staging


class Outputs:
    """The outputs of a job's inputs, staged one after another."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._growing: Staging | None = None
        self.done: list[tuple[Input, Staged]] = []

    def write(self, part: bytes) -> None:
        """Append to the output that grows, beginning one where none does."""
        if self._growing is None:
            self._growing = self._objects.stage(DIGESTS)
        if part:
            self._growing.write(part)

    def finish(self, source: Input) -> None:
        """End the output that grows: it is that of `source`."""
        self.write(b"")
        assert self._growing is not None
        self.done.append((source, self._growing.finish()))
        self._growing = None

    def drop(self) -> None:
        """Forget the output that grows."""
        if self._growing is not None:
            self._growing.abort()
            self._growing = None

    def kept(self) -> None:
        """Note that the outputs appeared, so that none is discarded."""
        self.done = []

    def discard(self) -> None:
        """Forget all outputs."""
        self.drop()
        for _, staged in self.done:
            self._objects.discard(staged)
        self.done = []

    def appear(self, context: Context, record: Mapping[str, Any]) -> None:
        """Let the outputs, and the manifests of data capture, appear when the transaction commits.

        Raises Denied, and NotFound where the bucket has gone.
        """
        wanted = record["transform_output"]
        headers = encryption(wanted.get("kms_key_id"))
        names = []
        for source, staged in self.done:
            key = output_key(wanted["s3_output_path"], source.name)
            put(context, key.bucket, key.key, staged, content_type=wanted.get("accept") or "", **headers)
            names.append(f"{source.name}.out")
        capture = record.get("data_capture_config")
        if capture and self.done:
            headers = encryption(capture.get("kms_key_id"))
            for side, prefix, members in self._captured(record, names):
                content = json.dumps([{"prefix": prefix}, *members]).encode()
                key = capture_key(capture["destination_s3_uri"], side, record["transform_start_time"])
                staging = self._objects.stage(DIGESTS)
                staging.write(content)
                put(context, key.bucket, key.key, staging.finish(), content_type="application/json", **headers)

    def _captured(self, record: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, str, list[str]]]:
        sources = [source for source, _ in self.done]
        path = record["transform_output"]["s3_output_path"].rstrip("/")
        below = {source.key.uri.removesuffix(source.name) for source in sources}
        prefix = below.pop() if len(below) == 1 else f"s3://{sources[0].key.bucket}/"
        return [
            ("input", prefix, [source.key.uri.removeprefix(prefix) for source in sources]),
            ("output", f"{path}/", list(names)),
        ]


def capture_key(uri: str, side: str, start: int) -> Key:
    """Return where the manifest of one side of data capture goes (AWS page: Capture data from batch transform job)."""
    where = parse_uri(uri)
    folder = f"{where.key.strip('/')}/" if where.key.strip("/") else ""
    return Key(where.bucket, f"{folder}{side}/{moment(start):%Y/%m/%d/%H}/{uuid4()}.json")
