"""What a host's name tells of a request: the service, the region, the bucket of a virtual-hosted address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from headrace.aws import specification

_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}")
_S3 = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:-(?:accelerate|fips|external-1))?(?:\.dualstack)?(?:[.-](?P<region>[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}))?"
)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Host(NamedTuple):
    """What was understood; each is empty where the name does not tell. `services` share the endpoint's prefix."""

    services: tuple[str, ...] = ()
    region: str = ""
    bucket: str = ""


@cache
def endpoint_prefixes() -> Mapping[str, tuple[str, ...]]:
    """Return the services by the first labels of their hosts ("runtime.sagemaker")."""
    return _grouped("endpointPrefix")


@cache
def signing_names() -> Mapping[str, tuple[str, ...]]:
    """Return the services by the name in their credential scopes ("monitoring")."""
    return _grouped("signingName", "endpointPrefix")


@cache
def target_prefixes() -> Mapping[str, tuple[str, ...]]:
    """Return the services by the first part of X-Amz-Target, or of a path of Smithy RPC v2."""
    return _grouped("targetPrefix")


def understand(host: str, local: tuple[str, ...]) -> Host:
    """Return what a Host header tells; `local` are the names of this server whose subdomains may be buckets."""
    name = host.lower().partition(":")[0].rstrip(".") if not host.startswith("[") else ""
    for suffix in _AWS:
        if name.endswith(suffix):
            return _of_aws(name.removesuffix(suffix))
    for own in local:
        if name.endswith(f".{own}"):
            return _of_own(name.removesuffix(f".{own}"))
    return Host()


@lru_cache(maxsize=1024)
def _of_aws(name: str) -> Host:
    region = next((label for label in name.split(".") if _REGION.fullmatch(label)), "")
    labels = name.split(".")
    for size in (3, 2, 1):
        services = endpoint_prefixes().get(".".join(labels[:size]).removesuffix("-fips"))
        if services:
            return Host(services, region)
    if len(labels) > 1 and labels[1] == "s3-control":
        return Host(("s3control",), region)
    found = _S3.fullmatch(name)
    if found:
        return Host(("s3",), found["region"] or region, found["bucket"] or "")
    return Host((), region)


def _of_own(name: str) -> Host:
    found = _S3.fullmatch(name)
    if found:
        return Host(("s3",), found["region"] or "", found["bucket"] or "")
    return Host((), "", name if _BUCKET.fullmatch(name) else "")


def _grouped(*keys: str) -> Mapping[str, tuple[str, ...]]:
    grouped: dict[str, tuple[str, ...]] = {}
    for name, metadata in specification.metadata().items():
        key = next((metadata[each] for each in keys if each in metadata), "")
        if key:
            grouped[key] = (*grouped.get(key, ()), name)
    return grouped
