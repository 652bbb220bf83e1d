"""What a bucket itself allows: its policy, its block of public access, and who owns what others write."""

from __future__ import annotations

import json
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.storage import access_lists
from headrace.server.operations.storage.buckets import BUCKET, Bucket, configure, find_bucket
from headrace.server.operations.storage.refusals import denied, malformed_xml, no_such_configuration
from headrace.server.security.policy import parse_policy

MOST_POLICY_BYTES = 20 * 1024

_BLOCKS = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
_NARROWING = frozenset(
    (
        "aws:principalorgid", "aws:principalaccount", "aws:principalarn", "aws:sourcearn", "aws:sourceaccount",
        "aws:sourceip", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid",
        "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
    )
)  # fmt: skip
"""Condition keys that keep a statement for everybody from being public, when their values are fixed."""


def put_bucket_policy(
    context: Context,
    *,
    bucket: str,
    policy: str,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Set the policy of a bucket; a public one is refused while public policies are blocked."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    document = _parsed(found, policy)
    block = found.record.get("public_access_block") or {}
    if block.get("block_public_policy") and is_public(document):
        raise denied()
    record = found.record | {"policy_is_public": is_public(document)}
    resources.change(context.connection, BUCKET, found.stored, now=context.now, record=record, policy=policy)


def get_bucket_policy(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    """Return the policy of a bucket as it was given."""
    policy = find_bucket(context, bucket, expected_bucket_owner).stored.policy
    if not policy:
        raise no_such_configuration("NoSuchBucketPolicy", "The bucket policy does not exist", bucket)
    return {"policy": policy}


def delete_bucket_policy(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> None:
    """Remove the policy of a bucket."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    resources.change(context.connection, BUCKET, found.stored, now=context.now, policy=None)


def get_bucket_policy_status(
    context: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Tell whether the policy or the access list of a bucket is public."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    block = found.record.get("public_access_block") or {}
    policy = found.stored.policy
    by_policy = bool(policy) and is_public(json.loads(policy or "{}"))
    listed = not found.enforced and not block.get("ignore_public_acls")
    by_list = listed and access_lists.is_public(found.record.get("grants"))
    return {"policy_status": {"is_public": by_policy or by_list}}


def is_public(document: dict[str, Any]) -> bool:
    """Tell whether a policy allows something to everybody ("The meaning of public" in the S3 user guide)."""
    return any(_is_public(statement) for statement in _listed(document.get("Statement")))


def put_public_access_block(
    context: Context,
    *,
    bucket: str,
    public_access_block_configuration: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Block public access lists and policies, as told."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    block = {name: bool(public_access_block_configuration.get(name)) for name in _BLOCKS}
    configure(context, found, public_access_block=block)


def get_public_access_block(
    context: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Return what is blocked of public access."""
    block = find_bucket(context, bucket, expected_bucket_owner).record.get("public_access_block")
    if not block:
        raise no_such_configuration(
            "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", bucket
        )
    return {"public_access_block_configuration": block}


def delete_public_access_block(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> None:
    """Block nothing."""
    configure(context, find_bucket(context, bucket, expected_bucket_owner), public_access_block=None)


def put_bucket_ownership_controls(
    context: Context,
    *,
    bucket: str,
    ownership_controls: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Set who owns what other accounts write, and whether access lists count."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    rules = ownership_controls.get("rules") or []
    if len(rules) != 1:
        raise malformed_xml()
    ownership = rules[0]["object_ownership"]
    grants = found.record.get("grants")
    if ownership == "BucketOwnerEnforced" and grants and not access_lists.gives_nothing_away(found.account, grants):
        raise InvalidInput(
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            code="InvalidBucketAclWithObjectOwnership",
        )
    configure(context, found, ownership=ownership, ownership_set=True)


def get_bucket_ownership_controls(
    context: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Return who owns what other accounts write."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    if not found.record.get("ownership_set"):
        raise no_such_configuration(
            "OwnershipControlsNotFoundError", "The bucket ownership controls were not found", bucket
        )
    return {"ownership_controls": {"rules": [{"object_ownership": found.ownership}]}}


def delete_bucket_ownership_controls(
    context: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> None:
    """Let writers own what they write, as before ownership controls."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    configure(context, found, ownership="ObjectWriter", ownership_set=False)


def _parsed(bucket: Bucket, policy: str) -> dict[str, Any]:
    if len(policy.encode()) > MOST_POLICY_BYTES:
        raise _malformed("Policies must be at most 20 KB.")
    try:
        document = json.loads(policy)
    except (ValueError, RecursionError):
        raise _malformed("This policy contains invalid Json") from None
    if not isinstance(document, dict):
        raise _malformed("Policies must be valid JSON and the first byte must be '{'")
    if document.get("Version", "2008-10-17") not in ("2008-10-17", "2012-10-17"):
        raise _malformed("The policy must contain a valid version string")
    statements = _listed(document.get("Statement"))
    if not statements:
        raise _malformed("Missing required field Statement")
    for statement in statements:
        if not isinstance(statement, dict):
            raise _malformed("Statements must be objects")
        _check(bucket, statement)
    try:
        parse_policy(policy, "resource")
    except InvalidInput as error:
        raise _malformed(error.message) from None
    return document


def _check(bucket: Bucket, statement: dict[str, Any]) -> None:
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed("Missing required field Effect" if "Effect" not in statement else "Invalid effect")
    for pair in (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")):
        given = [name for name in pair if name in statement]
        if len(given) != 1:
            raise _malformed(f"Missing required field {pair[0]}" if not given else f"{pair[0]} and {pair[1]} are given")
    actions = _listed(statement.get("Action", statement.get("NotAction")))
    if not all(isinstance(each, str) and (each == "*" or each.lower().startswith("s3")) for each in actions):
        raise _malformed("Policy has invalid action")
    for resource in _listed(statement.get("Resource", statement.get("NotResource"))):
        if not isinstance(resource, str) or not _within(bucket, resource):
            raise _malformed("Policy has invalid resource")


def _within(bucket: Bucket, resource: str) -> bool:
    if resource == "*":
        return False
    path = resource.split(":", 5)
    if len(path) != 6 or path[2] != "s3":
        return False
    name = path[5].partition("/")[0]
    return name == bucket.name or "*" in name or "?" in name


def _is_public(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    everybody = "NotPrincipal" in statement or principal == "*"
    if isinstance(principal, dict):
        everybody = any("*" in _listed(names) for names in principal.values())
    if not everybody:
        return False
    for operator, conditions in (statement.get("Condition") or {}).items():
        if "not" in operator.lower() or operator.lower().endswith("ifexists"):
            continue
        for key, values in conditions.items():
            wide = ("*", "0.0.0.0/0", "::/0")
            if key.lower() in _NARROWING and not any(str(value) in wide for value in _listed(values)):
                return False
    return True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _malformed(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, code="MalformedPolicy")
