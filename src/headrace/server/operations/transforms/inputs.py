"""The objects that a transform job reads, and the keys of what it makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.server.operations.acting import Actor
from headrace.server.operations.storage.transfer import Key, parse_uri, read_key
from headrace.server.operations.training.channels import LARGEST_MANIFEST, keys_of


@dataclass(frozen=True)
class Input:
    """An object, and its name below the prefix (or that of the manifest), which its output keeps."""

    key: Key
    name: str

    def __str__(self) -> str:
        return f"{self.key.bucket}/{self.key.key}"


def inputs_of(actor: Actor, data_source: Mapping[str, Any]) -> list[Input]:
    """Return the objects of an S3DataSource in their order; raises DataError where there is none, or none readable."""
    keys = keys_of(actor, data_source)
    prefix = parse_uri(data_source["s3_uri"])
    if data_source["s3_data_type"] == "ManifestFile":
        content = read_key(actor, prefix.bucket, prefix.key, most=LARGEST_MANIFEST)
        prefix = parse_uri(json.loads(content)[0]["prefix"])
    return [Input(key, name_below(prefix.key, key.key)) for key in keys]


def name_below(prefix: str, key: str) -> str:
    """Return the part of a key after a prefix that is a folder, or from the name on that the prefix begins or is.

    >>> name_below("data/in", "data/in/2024/a.csv"), name_below("data/a", "data/a.csv"), name_below("a.csv", "a.csv")
    ('2024/a.csv', 'a.csv', 'a.csv')
    """
    folder = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    if key.startswith(folder):
        return key[len(folder) :].lstrip("/") or key.rpartition("/")[2]
    return key[prefix.rfind("/") + 1 :]


def output_key(path: str, name: str) -> Key:
    """Return where the output of an input of this name goes below S3OutputPath."""
    where = parse_uri(path)
    folder = f"{where.key.rstrip('/')}/" if where.key.strip("/") else ""
    return Key(where.bucket, f"{folder}{name}.out")
