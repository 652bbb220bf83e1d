"""What access lists of buckets and objects allow beside the policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.operations.storage import access_lists
from headrace.server.operations.storage.versions import current
from headrace.server.security.policy import Decision, PolicySet, Principal, Question, evaluate, parse_policy

_OF_BUCKET = {
    "READ": ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
    "READ_ACP": ("s3:GetBucketAcl",),
    "WRITE_ACP": ("s3:PutBucketAcl",),
}
_OF_KEYS = {
    "WRITE": (
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    )
}
_OF_OBJECT = {
    "READ": ("s3:GetObject", "s3:GetObjectVersion"),
    "READ_ACP": ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"),
    "WRITE_ACP": ("s3:PutObjectAcl", "s3:PutObjectVersionAcl"),
}

_OF_NOTHING = {"READ": _OF_OBJECT["READ"], "WRITE": ("s3:PutObjectAcl", "s3:PutObjectTagging")}
"""Where there is no object: who may list learns that, and who writes the first one may say who reads it."""

_DESCRIBING = frozenset(each for kind in (_OF_OBJECT, _OF_NOTHING) for some in kind.values() for each in some)

Grants = list[dict[str, Any]]


def granted(connection: Connection, decision: Decision, question: Question, policies: PolicySet | None = None) -> bool:
    """Tell whether an access list allows what no policy did; what a policy denies stays denied.

    A grant to an account counts for its root user, and with `policies` for whom these let use it; a grant to a group
    counts for everyone in it ("Access control list (ACL) overview" in the S3 user guide).
    """
    if decision.effect != "implicitDeny" or ":s3:::" not in question.resource:
        return False
    known = policies if policies is not None else PolicySet()
    if question.action == "s3:CreateBucket":
        # A name that another account has taken is refused by the operation, in its own words.
        return evaluate(replace(question, resource_account=question.principal.account), known).allowed
    statements = _statements(connection, question)
    if statements is None:
        return True
    if not statements:
        return False
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    listed = replace(known, resource=parse_policy(document, "resource"))
    return evaluate(question, listed).allowed


def existing_tags(connection: Connection, resource: str) -> dict[str, tuple[str, ...]]:
    """Return the condition keys that tell the tags of the object of an ARN."""
    bucket, _, key = resource.partition(":s3:::")[2].partition("/")
    version = current(connection, bucket, key) if key else None
    tags = version.record.get("tags", {}) if version is not None else {}
    return {f"s3:ExistingObjectTag/{name}": (value,) for name, value in tags.items()}


def _statements(connection: Connection, question: Question) -> list[dict[str, Any]] | None:
    """Return what access lists say to a question as statements; None where the bucket isn't, as operations will say."""
    prefix, _, name = question.resource.partition(":s3:::")
    bucket, _, key = name.partition("/")
    stored = resources.by_arn(connection, f"{prefix}:s3:::{bucket}")
    if stored is None:
        return None
    if stored.record["ownership"] == "BucketOwnerEnforced":
        return []
    blocked = bool((stored.record.get("public_access_block") or {}).get("ignore_public_acls"))
    grants: Grants = stored.record.get("grants") or []
    if not key:
        return _allowing(grants, _OF_BUCKET, question, blocked)
    statements = _allowing(grants, _OF_KEYS, question, blocked)
    if question.action not in _DESCRIBING:
        return statements
    version = current(connection, bucket, key)
    if version is None or version.marker:
        return statements + _allowing(grants, _OF_NOTHING, question, blocked)
    own = version.record.get("grants") or access_lists.shown(version.owner, None)["grants"]
    return statements + _allowing(own, _OF_OBJECT, question, blocked)


def _allowing(
    grants: Grants, actions: Mapping[str, tuple[str, ...]], question: Question, blocked: bool
) -> list[dict[str, Any]]:
    """Return grants that give the question's action, as statements of a policy."""
    statements = []
    for grant in grants:
        allowed = {
            each for kind, some in actions.items() if grant["permission"] in ("FULL_CONTROL", kind) for each in some
        }
        principal = _principal(grant["grantee"], question.principal, blocked)
        if principal is not None and question.action in allowed:
            statements.append(
                {"Effect": "Allow", "Principal": principal, "Action": question.action, "Resource": question.resource}
            )
    return statements


def _principal(grantee: Mapping[str, str], asking: Principal, blocked: bool) -> Any:
    uri = grantee.get("uri")
    if uri == access_lists.ALL_USERS or (uri == access_lists.AUTHENTICATED_USERS and asking.kind != "Anonymous"):
        return None if blocked else "*"
    account = access_lists.account_of(grantee.get("id", ""))
    return {"AWS": account} if account else None
