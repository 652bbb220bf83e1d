"""What a processing job finds below /opt/ml/processing, and what it leaves there for S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import Denied, NotFound, OperationError
from headrace.server.operations.acting import Actor
from headrace.server.operations.storage.buckets import find_bucket
from headrace.server.operations.storage.names import bucket_arn
from headrace.server.operations.storage.transfer import Key, encryption, list_keys, parse_uri, put, stage
from headrace.server.operations.training.channels import DataError, Room, Source, explained, fetch
from headrace.server.operations.training.outputs import files_of
from headrace.server.stores.objects import Staged

MACHINE = PurePosixPath("/opt/ml")


class NoData(DataError):  # noqa: N818
    """No hour that a monitoring execution looks at has data: AWS's sentence, which is the whole FailureReason."""

    def __init__(self) -> None:
        super().__init__("Job inputs had no data")


def never() -> bool:
    """Say that a download is not to end early: whoever stops the job ends the process."""
    return False


def lay_out(actor: Actor, record: Mapping[str, Any], root: Path) -> None:
    """Write the inputs into their folders and make those of the outputs; `root` is what the job finds as /opt/ml.

    Inputs that a monitoring schedule made, one an hour, may be empty, but not all of them. Raises DataError.
    """
    cluster = record["processing_resources"]["cluster_config"]
    room = Room(cluster["volume_size_in_gb"])
    for each in _outputs(record):
        below(root, each["s3_output"]["local_path"]).mkdir(parents=True, exist_ok=True)
    inputs = record.get("processing_inputs") or ()
    kept = [each for each in inputs if not each["app_managed"] or _has_objects(actor, each["s3_input"]["s3_uri"])]
    if len(kept) < len(inputs) and not any(each["app_managed"] for each in kept):
        raise NoData
    for each in kept:
        for source, folder in _sources(actor, each, below(root, each["s3_input"]["local_path"])):
            fetch(actor, source, folder, room=room, stopped=never)


def below(root: Path, path: str) -> Path:
    """Return where a path of the job's machine lies."""
    return root / PurePosixPath(path).relative_to(MACHINE)


def check_outputs(actor: Actor, record: Mapping[str, Any]) -> None:
    """Raise DataError where the role may not write what the job will leave, before any work is done for it."""
    with actor.reading() as context:
        for where in (parse_uri(each["s3_output"]["s3_uri"]) for each in _outputs(record)):
            try:
                find_bucket(context, where.bucket)
                arn = bucket_arn(actor.place.partition, where.bucket)
                context.authorise("s3:PutObject", f"{arn}/{_key(where, 'output')}")
            except OperationError as error:
                raise _refused(context, where, error) from error


class Outputs:
    """The files that a job leaves: durable in the store of objects, to appear in S3 with the job's end."""

    def __init__(self, actor: Actor, record: Mapping[str, Any]) -> None:
        self._actor, self._record = actor, record
        self._staged: list[tuple[Key, Staged]] = []

    def gather(self, root: Path, *, continuous: bool = False) -> None:
        """Stage the files of all outputs, or only of those that are uploaded continuously."""
        for each in _outputs(self._record):
            output = each["s3_output"]
            if continuous and output["s3_upload_mode"] != "Continuous":
                continue
            where = parse_uri(output["s3_uri"])
            for name, file in files_of(below(root, output["local_path"])):
                self._staged.append((Key(where.bucket, _key(where, name)), stage(self._actor, file)))

    def appear(self, context: Context) -> None:
        """Let all of it appear when the transaction commits; raises DataError."""
        headers = encryption((self._record.get("processing_output_config") or {}).get("kms_key_id"))
        for key, staged in self._staged:
            try:
                put(context, key.bucket, key.key, staged, **headers)
            except OperationError as error:
                raise _refused(context, key, error) from error

    def kept(self) -> None:
        """Note that all appeared, so that nothing is discarded."""
        self._staged = []

    def discard(self) -> None:
        """Drop what has not appeared."""
        for _, staged in self._staged:
            self._actor.platform.objects.discard(staged)
        self._staged = []


def _sources(actor: Actor, given: Mapping[str, Any], folder: Path) -> list[tuple[Source, Path]]:
    """Return what an input holds, and its folder; of a schedule's folder of manifests it is what each of them lists."""
    name, data = given["input_name"], given["s3_input"]
    if not given["app_managed"] or data["s3_data_type"] != "ManifestFile":
        return [(Source(name, data, "File"), folder)]
    named = parse_uri(data["s3_uri"])
    with explained(actor, data["s3_uri"]):
        found = list_keys(actor, named.bucket, f"{named.key}/")
    return [
        (Source(name, {**data, "s3_uri": each.uri}, "File"), folder / str(number)) for number, each in enumerate(found)
    ]


def _outputs(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    given: Sequence[Mapping[str, Any]] = (record.get("processing_output_config") or {}).get("outputs") or ()
    yield from given


def _has_objects(actor: Actor, uri: str) -> bool:
    named = parse_uri(uri)
    with explained(actor, uri):
        return bool(list_keys(actor, named.bucket, named.key))


def _key(where: Key, name: str) -> str:
    return "/".join(part for part in (where.key.strip("/"), name) if part)


def _refused(context: Context, where: Key, error: OperationError) -> DataError:
    if isinstance(error, Denied):
        said = f"AccessDenied (403): Access Denied with the role {context.caller.principal}: {error.message}"
    elif isinstance(error, NotFound):
        said = f"NoSuchBucket (404): The specified bucket does not exist: {where.bucket}"
    else:
        said = error.message
    return DataError(f"Data upload failed to {where.uri}: {said}")
