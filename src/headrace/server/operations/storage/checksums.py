"""Checksums of objects and parts: kept as they were verified, computed where there are none, answered on demand."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.errors import InvalidInput
from headrace.server.operations.storage.refusals import invalid_request
from headrace.server.stores import digests
from headrace.server.stores.objects import Staged

MEMBERS = {
    "crc32": "checksum_crc32",
    "crc32c": "checksum_crc32_c",
    "crc64nvme": "checksum_crc64_nvme",
    "sha1": "checksum_sha1",
    "sha256": "checksum_sha256",
    "sha512": "checksum_sha512",
    "md5": "checksum_md5",
    "xxhash64": "checksum_xxhash64",
    "xxhash3": "checksum_xxhash3",
    "xxhash128": "checksum_xxhash128",
}
"""The member of requests and answers for each digest."""

DEFAULT = "crc64nvme"
"""What S3 computes when the client sends nothing."""


def wanted(algorithm: str | None) -> tuple[str, ...]:
    """Return the names of the digests to compute for a ChecksumAlgorithm."""
    return ((algorithm or DEFAULT).lower(),)


def of_staged(staged: Staged, algorithm: str | None = None) -> dict[str, str] | None:
    """Return the checksum to keep of a body: the client's own, else that of `algorithm`, else S3's default."""
    if staged.checksum is not None:
        name, value = staged.checksum
        return {"algorithm": name.lower().replace("-", ""), "value": value, "type": "FULL_OBJECT"}
    for name in wanted(algorithm):
        if name in staged.digests:
            return {"algorithm": name, "value": b64encode(staged.digests[name]).decode(), "type": "FULL_OBJECT"}
    return None


def default_of(staged: Staged) -> dict[str, str] | None:
    """Return the checksum of S3's own kind, where it was computed."""
    if DEFAULT not in staged.digests:
        return None
    return {"algorithm": DEFAULT, "value": b64encode(staged.digests[DEFAULT]).decode(), "type": "FULL_OBJECT"}


def members(checksum: Mapping[str, str] | None, *, kind: bool = True) -> dict[str, str]:
    """Return a checksum as the members of an answer, with its type unless `kind` is False."""
    if not checksum:
        return {}
    answer = {MEMBERS[checksum["algorithm"]]: checksum["value"]}
    return answer | {"checksum_type": checksum["type"]} if kind else answer


def listed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what listings tell of the checksum in an object's record."""
    checksum = record.get("checksum")
    if not checksum:
        return {}
    return {"checksum_algorithm": [checksum["algorithm"].upper()], "checksum_type": checksum["type"]}


def default_type(algorithm: str | None) -> str:
    """Return the ChecksumType that an upload has when it names none."""
    return "FULL_OBJECT" if algorithm in (None, "CRC64NVME") else "COMPOSITE"


def check_type(algorithm: str | None, kind: str | None) -> None:
    """Raise InvalidRequest for a checksum type that the algorithm can't have."""
    name = (algorithm or "").lower()
    if kind == "FULL_OBJECT" and name and name not in digests.COMBINABLE:
        raise invalid_request(f"The FULL_OBJECT checksum type cannot be used with the {name} checksum algorithm.")
    if kind == "COMPOSITE" and name == "crc64nvme":
        raise invalid_request("The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.")


def of_parts(algorithm: str, kind: str, parts: Sequence[tuple[Mapping[str, Any], int]]) -> dict[str, str] | None:
    """Return the checksum of an object from its parts' (record, size); None where a part has no such checksum."""
    name = algorithm.lower()
    raw: list[tuple[bytes, int]] = []
    for record, size in parts:
        kept = (record.get("checksum"), record.get("default_checksum"))
        checksum = next((each for each in kept if each and each["algorithm"] == name), None)
        if checksum is None:
            return None
        raw.append((b64decode(checksum["value"]), size))
    if kind == "FULL_OBJECT":
        value = b64encode(digests.full_object(name, raw)).decode()
    else:
        value = f"{b64encode(digests.composite(name, (each for each, _ in raw))).decode()}-{len(raw)}"
    return {"algorithm": name, "value": value, "type": kind}


def given(parameters: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the (digest, base64) that a request states in its members; raises InvalidRequest for more than one."""
    found = [(name, str(parameters[member])) for name, member in MEMBERS.items() if parameters.get(member)]
    if len(found) > 1:
        raise invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    return found[0] if found else None


def check_given(parameters: Mapping[str, Any], checksum: Mapping[str, str] | None) -> None:
    """Raise BadDigest where a request states another checksum of the whole object than it has."""
    stated = given(parameters)
    if stated is None or checksum is None or checksum["algorithm"] != stated[0]:
        return
    if stated[1].partition("-")[0] != checksum["value"].partition("-")[0]:
        raise InvalidInput(f"The {stated[0]} you specified did not match the calculated checksum.", code="BadDigest")
