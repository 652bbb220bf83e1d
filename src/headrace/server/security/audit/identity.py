"""The userIdentity element of a record, for every kind of caller; source: AWS, "CloudTrail userIdentity element"."""

from __future__ import annotations

import time
from typing import Any

from headrace.server.security.credentials import Caller


def user_identity(caller: Caller) -> dict[str, Any]:
    """Return who called, as CloudTrail describes it."""
    if caller.kind == "AWSService":
        return {"type": "AWSService", "invokedBy": caller.name or caller.principal}
    if caller.kind == "Anonymous":
        anonymous = {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
        return anonymous | ({"accessKeyId": caller.access_key_id[:128]} if caller.access_key_id else {})
    identity: dict[str, Any] = {
        "type": caller.kind,
        "principalId": caller.user_id,
        "arn": caller.arn,
        "accountId": caller.account,
        "accessKeyId": caller.access_key_id,
    }
    if caller.kind == "IAMUser":
        identity["userName"] = caller.name or caller.arn.rpartition("/")[2]
    if caller.session_issued:
        identity["sessionContext"] = _session(caller)
    if caller.source_identity:
        identity["sourceIdentity"] = caller.source_identity
    return identity


def username(caller: Caller) -> str:
    """Return the name that LookupEvents finds the caller's events by."""
    if caller.kind == "Root":
        return "root"
    if caller.kind == "Anonymous":
        return ""
    if caller.kind == "IAMUser" and caller.name:
        return caller.name
    return caller.arn.rpartition("/")[2] or caller.name or caller.principal


def _session(caller: Caller) -> dict[str, Any]:
    session: dict[str, Any] = {}
    if caller.kind in ("AssumedRole", "FederatedUser"):
        session["sessionIssuer"] = {
            "type": "Role"
            if caller.kind == "AssumedRole"
            else "Root"
            if caller.principal.endswith(":root")
            else "IAMUser",
            "principalId": caller.user_id.partition(":")[0],
            "arn": caller.principal,
            "accountId": caller.account,
            "userName": caller.principal.rpartition("/")[2],
        }
    session["attributes"] = {
        "creationDate": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(caller.session_issued // 1000)),
        "mfaAuthenticated": "true" if caller.mfa_present else "false",
    }
    return session


def _issuer_kind(caller: Caller) -> str:
    if caller.kind == "AssumedRole":
        return "Role"
    return "Root" if caller.principal.endswith(":root") else "IAMUser"
