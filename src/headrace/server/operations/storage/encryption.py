"""Encryption at rest: what a bucket asks for by default, what a request asks for, and what answers tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.storage.buckets import Bucket, configure, find_bucket
from headrace.server.operations.storage.refusals import invalid_argument, malformed_xml

_DEFAULT: dict[str, Any] = {
    "rules": [{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}, "bucket_key_enabled": False}]
}


def encryption_of(context: Context, bucket: Bucket, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that tell how an object is encrypted: the request's choice, else the bucket's default."""
    algorithm, key = given.get("server_side_encryption"), given.get("ssekms_key_id")
    if given.get("sse_customer_algorithm"):
        if algorithm:
            raise invalid_argument(
                "Server Side Encryption with Customer provided key is incompatible with the encryption method "
                "specified",
                "x-amz-server-side-encryption",
                algorithm,
            )
        return {}
    if algorithm is None:
        if key:
            raise _needs_kms("")
        rule = (bucket.record.get("encryption") or _DEFAULT)["rules"][0]
        default = rule.get("apply_server_side_encryption_by_default") or {}
        algorithm, key = default.get("sse_algorithm", "AES256"), default.get("kms_master_key_id")
        bucket_key = rule.get("bucket_key_enabled")
    else:
        bucket_key = given.get("bucket_key_enabled")
    if not algorithm.startswith("aws:kms"):
        if algorithm != "AES256":
            raise invalid_argument(
                "The encryption method specified is not supported", "x-amz-server-side-encryption", algorithm
            )
        if key:
            raise _needs_kms(algorithm)
        return {"server_side_encryption": algorithm}
    answer = {"server_side_encryption": algorithm, "ssekms_key_id": _key_arn(context, bucket, key)}
    return answer | {"bucket_key_enabled": True} if bucket_key else answer


def put_bucket_encryption(
    context: Context,
    *,
    bucket: str,
    server_side_encryption_configuration: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Set how new objects are encrypted when their request says nothing."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    rules = server_side_encryption_configuration.get("rules") or []
    if len(rules) != 1:
        raise malformed_xml()
    default = rules[0].get("apply_server_side_encryption_by_default")
    if default and default["sse_algorithm"] == "AES256" and default.get("kms_master_key_id"):
        raise invalid_argument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms")
    configure(context, found, encryption={"rules": rules})


def get_bucket_encryption(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    """Return the default encryption, which is AES256 where nothing else was set."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    return {"server_side_encryption_configuration": found.record.get("encryption") or _DEFAULT}


def delete_bucket_encryption(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> None:
    """Return to AES256."""
    configure(context, find_bucket(context, bucket, expected_bucket_owner), encryption=None)


def _needs_kms(algorithm: str) -> InvalidInput:
    return invalid_argument(
        "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
        "x-amz-server-side-encryption",
        algorithm,
    )


def _key_arn(context: Context, bucket: Bucket, key: str | None) -> str:
    if key and key.startswith("arn:"):
        return key
    place = context.place
    name = f"key/{key}" if key and not key.startswith("alias/") else key or "alias/aws/s3"
    return f"arn:{place.partition}:kms:{bucket.region}:{bucket.account}:{name}"
