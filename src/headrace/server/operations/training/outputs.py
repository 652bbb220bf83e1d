"""What a training job leaves in S3: its model and its output, as archives or file by file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from headrace.server.containers.archives import pack
from headrace.server.context import Context
from headrace.server.errors import Denied, NotFound, OperationError
from headrace.server.operations.acting import Actor
from headrace.server.operations.storage.transfer import check_put, encryption, parse_uri, put, stage
from headrace.server.operations.training.channels import DataError
from headrace.server.stores.objects import Staged

FAILED = "Artifact upload failed"


@dataclass(frozen=True)
class Folders:
    """Where a training job's files lie: its channels (one folder each), and what it leaves."""

    data: Path
    model: Path
    output: Path
    checkpoint: Path


@dataclass
class Artifacts:
    """What is durable in the store of objects and appears with the job's end, encrypted under `kms_key` if it is given.

    `model` is the URI of the model.
    """

    bucket: str
    kms_key: str | None = None
    model: str = ""
    staged: list[tuple[str, Staged]] = field(default_factory=list)

    def put(self, context: Context) -> None:
        """Let all of it appear when the transaction commits; raises DataError."""
        with written(context, self.bucket):
            for key, staged in self.staged:
                put(context, self.bucket, key, staged, **encryption(self.kms_key))

    def discard(self, actor: Actor) -> None:
        """Drop all of it."""
        for _, staged in self.staged:
            actor.platform.objects.discard(staged)


def output_prefix(record: Mapping[str, Any], job: str) -> tuple[str, str]:
    """Return the bucket of a job's outputs and what their keys begin with."""
    path = parse_uri(record["output_data_config"]["s3_output_path"])
    return path.bucket, "/".join(part for part in (path.key.strip("/"), job, "output") if part)


def check_output(actor: Actor, record: Mapping[str, Any], job: str) -> None:
    """Raise DataError where the role may not write what the job will leave, before any work is done for it."""
    bucket, prefix = output_prefix(record, job)
    with written(actor, bucket):
        check_put(actor, bucket, f"{prefix}/model.tar.gz")


def gather(
    actor: Actor, record: Mapping[str, Any], job: str, folders: Folders, place: Path, *, model: bool
) -> Artifacts:
    """Make the files of a job's model and output durable; the model only where it is asked for.

    An output without a file leaves nothing; `place` is for archives while they are made.
    """
    bucket, prefix = output_prefix(record, job)
    artifacts = Artifacts(bucket, record["output_data_config"].get("kms_key_id"))
    zipped = record["output_data_config"]["compression_type"] != "NONE"
    left = [("output", "data", folders.output)] if _has_files(folders.output) else []
    if model and folders.model.is_dir() and not folders.model.is_symlink():
        left.append(("model", "model", folders.model))
        artifacts.model = f"s3://{bucket}/{prefix}/{'model.tar.gz' if zipped else 'model/'}"
    for name, inner, folder in left:
        if zipped:
            archive = place / f"{name}.tar.gz"
            pack(folder, archive)
            with archive.open("rb") as packed:
                artifacts.staged.append((f"{prefix}/{name}.tar.gz", stage(actor, packed)))
            archive.unlink()
        else:
            for path, file in files_of(folder):
                artifacts.staged.append((f"{prefix}/{inner}/{path}", stage(actor, file)))
    return artifacts


def files_of(folder: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Yield the files under a folder that a user's code may have filled, open: no link leads out of it."""
    if not folder.is_dir() or folder.is_symlink():
        return
    for parent, folders, names, descriptor in os.fwalk(folder):
        folders.sort()
        for name in sorted(names):
            try:
                opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
            except OSError:
                continue
            with os.fdopen(opened, "rb") as file:
                if stat.S_ISREG(os.fstat(opened).st_mode):
                    yield (Path(parent) / name).relative_to(folder).as_posix(), file


def _has_files(folder: Path) -> bool:
    return next(files_of(folder), None) is not None


@contextmanager
def written(role: Actor | Context, bucket: str) -> Iterator[None]:
    """Raise DataError where the block can't write into the bucket as the role."""
    try:
        yield
    except Denied as error:
        denied = f"Access Denied with the role {role.caller.principal}: {error.message}"
        raise DataError(f"{FAILED}: AccessDenied (403): {denied}") from error
    except NotFound as error:
        raise DataError(f"{FAILED}: NoSuchBucket (404): The specified bucket does not exist: {bucket}") from error
    except OperationError as error:
        raise DataError(f"{FAILED}: {error.message}") from error
