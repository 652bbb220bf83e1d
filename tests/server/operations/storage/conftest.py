"""An object store of its own with S3's operations, called as the guard calls them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.aws.services.s3 import SERVICE
from headrace.server.context import Context, Platform
from headrace.server.errors import Denied
from headrace.server.resources import Place
from headrace.server.security.credentials import Caller, root
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.objects import FileStore, Staged

MAIN, OTHER = "111111111111", "222222222222"
START = 1_760_000_000_000


class Positions:
    """Pagination tokens that tests can read."""

    def write_position(self, position: list[Any], *, of: str) -> str:
        return json.dumps([of, position])

    def read_position(self, token: str, *, of: str) -> list[Any]:
        kept, position = json.loads(token)
        assert kept == of
        return position


@dataclass
class Storage:
    """Calls operations by name, each in a transaction of its own."""

    metadata: MetadataStore
    objects: FileStore
    folder: Path
    now: int = START
    caller: Caller = field(default_factory=lambda: root(MAIN))
    region: str = "us-east-1"
    legacy: bool = False
    denied: set[str] = field(default_factory=set)

    @property
    def platform(self) -> Platform:
        settings: Any = SimpleNamespace(legacy_bucket_defaults=self.legacy)
        positions: Any = Positions()
        return Platform(settings, self.metadata, self.objects, positions, lambda: self.now, MAIN)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = SERVICE.operation(name)
        if operation is None:
            raise AttributeError(name)
        return lambda **parameters: self.run(operation, **parameters)

    def run(self, operation: Callable[..., Any], *arguments: Any, **parameters: Any) -> Any:
        def authorise(action: str, _: str, __: Any = None) -> None:
            if action in self.denied:
                raise Denied(f"{action} is denied")

        committed: list[Callable[[], None]] = []
        with self.metadata.writing() as connection:
            place = Place(self.caller.account, self.region)
            context = Context(
                self.platform, connection, self.caller, place, self.now, "request", authorise, {}, committed
            )
            answer = operation(context, *arguments, **parameters)
        for action in committed:
            action()
        return answer

    def body(self, content: bytes) -> Staged:
        staging = self.objects.stage(("md5", "crc64nvme", "crc32", "sha256"))
        staging.write(content)
        return staging.finish()

    def put(self, key: str, content: bytes = b"", bucket: str = "bucket", **given: Any) -> dict[str, Any]:
        return self.put_object(bucket=bucket, key=key, body=self.body(content), **given)

    def get(self, key: str, bucket: str = "bucket", **given: Any) -> bytes:
        return b"".join(self.get_object(bucket=bucket, key=key, **given)["body"])

    def blobs(self) -> int:
        return len(list(self.objects.blobs()))

    def staged(self) -> int:
        return len(list((self.folder / "staging").iterdir()))


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    """Give an empty store on SQLite with one bucket."""
    metadata = MetadataStore.open(f"sqlite:///{tmp_path}/headrace.db")
    made = Storage(metadata, FileStore(tmp_path), tmp_path)
    made.create_bucket(bucket="bucket")
    try:
        yield made
    finally:
        metadata.close()


@pytest.fixture
def either(metadata: MetadataStore, tmp_path: Path) -> Storage:
    """Give an empty store with one bucket on SQLite and on PostgreSQL."""
    made = Storage(metadata, FileStore(tmp_path / "blobs"), tmp_path / "blobs")
    made.create_bucket(bucket="bucket")
    return made
