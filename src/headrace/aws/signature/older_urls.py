"""Verifies presigned S3 URLs of Signature Version 2, which boto3 still makes by default in the older regions.

Such a signature covers the bucket and the key, not the host, so it is compared with what the request was routed to.
AWS page: "Signing and authenticating REST requests" of Amazon S3 (query string request authentication alternative).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import quote, unquote

from headrace.aws.signature.keys import FindKey, known_key
from headrace.aws.signature.refusals import S3, Fault, mismatch
from headrace.server.messages import Request
from headrace.server.security.credentials import AccessKey

_NEEDED = ("AWSAccessKeyId", "Signature", "Expires")
_SIGNED = frozenset({
    "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location",
    "logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment",
    "response-cache-control", "response-content-disposition", "response-content-encoding",
    "response-content-language", "response-content-type", "response-expires", "restore", "select", "select-type",
    "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
})  # fmt: skip
"""Parameters that are part of the signed resource."""

_HARMLESS = frozenset({
    "continuation-token", "delimiter", "encoding-type", "fetch-owner", "key-marker", "list-type", "marker",
    "max-keys", "max-parts", "max-uploads", "part-number-marker", "prefix", "start-after", "upload-id-marker",
    "version-id-marker", "x-id",
})  # fmt: skip
"""Parameters that this version does not sign, and that choose no other operation."""


def is_older_url(request: Request) -> bool:
    """Tell whether the query carries a signature of version 2."""
    return "AWSAccessKeyId=" in request.query and any(name == "AWSAccessKeyId" for name, _ in request.parameters)


def signer_of_url(request: Request, labels: Mapping[str, str], find_key: FindKey, now: int) -> AccessKey:
    """Return the key that signed a URL for the bucket and key that `labels` name; raises Unauthenticated."""
    given = dict(request.parameters)
    if any(not given.get(name) for name in _NEEDED) or len(request.parameters) != len(given):
        raise S3.refusal(
            Fault.EXPIRED, f"Query-string authentication requires the parameters {', '.join(_NEEDED)}, each one once"
        )
    if not given["Expires"].isdecimal() or len(given["Expires"]) > 15:
        raise S3.refusal(Fault.EXPIRED, "Expires must be a number of seconds since 1970")
    if now > int(given["Expires"]) * 1000:
        raise S3.refusal(Fault.EXPIRED, "Request has expired")
    signed = _signed_headers(request, given)
    unsigned = [
        name for name in given if name not in _SIGNED | _HARMLESS and name not in _NEEDED and name.lower() not in signed
    ]
    if unsigned:
        raise S3.refusal(
            Fault.UNSIGNED_HEADER,
            f"Signature Version 2 does not cover the parameter {unsigned[0][:64]!r}; please use AWS4-HMAC-SHA256",
        )
    key = known_key(given["AWSAccessKeyId"], signed.get("x-amz-security-token"), S3, find_key, now)
    for resource in _resources(request, labels):
        text = _string_to_sign(request.method, given["Expires"], signed, resource)
        expected = base64.b64encode(hmac.digest(key.secret.encode(), text, "sha1"))
        if hmac.compare_digest(expected, given["Signature"].encode()):
            return key
    raise S3.refusal(Fault.MISMATCH, mismatch(S3))


def _signed_headers(request: Request, given: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that count, those of the query where the request itself has none."""
    told = [(name.lower(), value) for name, value in given.items()] + list(request.header.items())
    return {
        name: value.strip()
        for name, value in told
        if name.startswith("x-amz-") or name in ("content-md5", "content-type")
    }


def _string_to_sign(method: str, expires: str, signed: Mapping[str, str], resource: str) -> bytes:
    amazon = "".join([f"{name}:{signed[name]}\n" for name in sorted(signed) if name.startswith("x-amz-")])
    lines = (method, signed.get("content-md5", ""), signed.get("content-type", ""), expires, amazon + resource)
    return "\n".join(lines).encode()


def _resources(request: Request, labels: Mapping[str, str]) -> list[str]:
    """Return the signed form of what the request is for; a bucket is signed with and without a slash after it."""
    pairs = [pair.partition("=") for pair in request.query.split("&")]
    parameters = sorted([(name, equals + unquote(value)) for name, equals, value in pairs if name in _SIGNED])
    query = "&".join([name + value for name, value in parameters])
    bucket, key = labels.get("Bucket", ""), quote(labels.get("Key", ""), safe="/~")
    paths = [f"/{bucket}/{key}"] if key else [f"/{bucket}", f"/{bucket}/"] if bucket else ["/"]
    return [f"{path}?{query}" if query else path for path in paths]
