"""Access control lists: canned ones, grants in headers and documents, and whom they name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from headrace.server.errors import InvalidInput
from headrace.server.operations.storage.refusals import invalid_argument, malformed_xml

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"

GRANT_HEADERS = {
    "grant_read": "READ",
    "grant_write": "WRITE",
    "grant_read_acp": "READ_ACP",
    "grant_write_acp": "WRITE_ACP",
    "grant_full_control": "FULL_CONTROL",
}

_CANNED = {
    "private": (),
    "public-read": ((ALL_USERS, "READ"),),
    "public-read-write": ((ALL_USERS, "READ"), (ALL_USERS, "WRITE")),
    "authenticated-read": ((AUTHENTICATED_USERS, "READ"),),
    "log-delivery-write": ((LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")),
    "aws-exec-read": (),
}
_GRANTEE = re.compile(r'\s*(id|uri|emailAddress)\s*=\s*"?([^",]*)"?\s*', re.IGNORECASE)


def canonical_id(account: str) -> str:
    """Return the canonical user id of an account: 64 hexadecimal digits that end in the account's twelve."""
    return sha256(f"canonical user {account}".encode()).hexdigest()[:52] + account.rjust(12, "0")


def account_of(canonical: str) -> str | None:
    """Return the account of a canonical user id, or None when it is none."""
    account = canonical[52:]
    return account if account.isdecimal() and canonical_id(account) == canonical else None


def owner(account: str) -> dict[str, str]:
    """Return an account as S3 names owners."""
    return {"id": canonical_id(account), "display_name": account}


def initiator(arn: str) -> dict[str, str]:
    """Return who began an upload as S3 names them: an account as its canonical user, others by ARN."""
    if arn.endswith(":root"):
        return owner(arn.split(":")[4])
    return {"id": arn, "display_name": arn.rpartition("/")[2]}


def grants_of(
    account: str,
    *,
    acl: str | None = None,
    headers: Mapping[str, str | None] | None = None,
    policy: Mapping[str, Any] | None = None,
    bucket_account: str = "",
) -> list[dict[str, Any]]:
    """Return the grants that a canned list, grant headers or a document (AccessControlPolicy) make for an owner."""
    given = {name: value for name in GRANT_HEADERS if (value := (headers or {}).get(name))}
    if sum((acl is not None, bool(given), policy is not None)) > 1:
        raise invalid_request_of_two()
    if policy is not None:
        return _from_document(account, policy)
    if given:
        return [
            {"grantee": grantee, "permission": GRANT_HEADERS[name]}
            for name, value in given.items()
            for grantee in _grantees(value)
        ]
    return _canned(account, acl or "private", bucket_account)


def invalid_request_of_two() -> InvalidInput:
    """Return the error for two ways of giving an access list in one request."""
    return InvalidInput("Specifying both Canned ACLs and Header Grants is not allowed", code="InvalidRequest")


def is_public(grants: list[dict[str, Any]] | None) -> bool:
    """Tell whether grants reach beyond single accounts."""
    return any(each["grantee"].get("uri") in (ALL_USERS, AUTHENTICATED_USERS) for each in grants or [])


def gives_nothing_away(account: str, grants: list[dict[str, Any]]) -> bool:
    """Tell whether grants are no more than the owner's full control."""
    return grants == _canned(account, "private", "")


def shown(account: str, grants: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Return an access list as GetBucketAcl and GetObjectAcl answer it, groups first."""
    listed = _canned(account, "private", "") if grants is None else grants
    return {"owner": owner(account), "grants": sorted(listed, key=lambda each: each["grantee"]["type"] != "Group")}


def _canned(account: str, acl: str, bucket_account: str) -> list[dict[str, Any]]:
    own = [{"grantee": _user(account), "permission": "FULL_CONTROL"}]
    if acl in ("bucket-owner-read", "bucket-owner-full-control"):
        permission = "READ" if acl == "bucket-owner-read" else "FULL_CONTROL"
        other = bucket_account and bucket_account != account
        return own + ([{"grantee": _user(bucket_account), "permission": permission}] if other else [])
    if acl not in _CANNED:
        raise invalid_argument("This ACL is not a canned one", "x-amz-acl", acl)
    return own + [{"grantee": {"type": "Group", "uri": uri}, "permission": each} for uri, each in _CANNED[acl]]


def _user(account: str) -> dict[str, str]:
    return {"type": "CanonicalUser", **owner(account)}


def _grantees(value: str) -> list[dict[str, str]]:
    found = []
    for part in value.split(","):
        match = _GRANTEE.fullmatch(part)
        if match is None:
            raise invalid_argument("Argument format not recognized", "x-amz-grant", part)
        kind, name = match[1].lower(), match[2]
        found.append(_grantee("Group" if kind == "uri" else "CanonicalUser", kind, name))
    return found


def _grantee(kind: str, member: str, name: str) -> dict[str, str]:
    if member == "emailaddress":
        raise InvalidInput(
            "The e-mail address you provided does not match any account on record.",
            code="UnresolvableGrantByEmailAddress",
            details={"EmailAddress": name},
        )
    if kind == "Group":
        if name not in (ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY):
            raise invalid_argument("Invalid group uri", "uri", name)
        return {"type": "Group", "uri": name}
    account = account_of(name)
    if account is None:
        raise invalid_argument("Invalid id", "CanonicalUser/ID", name)
    return _user(account)


def _from_document(account: str, policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    named = (policy.get("owner") or {}).get("id")
    if named is None:
        raise malformed_xml()
    if named != canonical_id(account):
        raise InvalidInput("Access Denied", code="AccessDenied", status=403)
    grants = []
    for each in policy.get("grants") or []:
        grantee, permission = each.get("grantee"), each.get("permission")
        if not grantee or not permission:
            raise malformed_xml()
        kind = grantee["type"]
        if kind == "AmazonCustomerByEmail":
            _grantee(kind, "emailaddress", grantee.get("email_address", ""))
        name = grantee.get("uri" if kind == "Group" else "id", "")
        grants.append({"grantee": _grantee(kind, "", name), "permission": permission})
    return grants
