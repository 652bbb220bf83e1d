"""Condition keys that no door knows: of the request as such, and of the stored resource that it is about."""

from __future__ import annotations

from collections.abc import Mapping, Set

from sqlalchemy import Connection

from headrace.server.clock import moment
from headrace.server.context import Platform
from headrace.server.guard.door import Call, Evidence
from headrace.server.messages import Request
from headrace.server.operations.identity import mfa, permissions
from headrace.server.operations.storage.permissions import existing_tags
from headrace.server.resources import tags_of

Keys = dict[str, tuple[str, ...]]


def of_request(platform: Platform, connection: Connection, request: Request, evidence: Evidence, call: Call) -> Keys:
    """Return the keys that follow from the request, its signature and its caller's session.

    AWS page: AWS global condition context keys.
    """
    caller, now = evidence.caller, platform.clock()
    keys: Keys = {
        "aws:CurrentTime": (_time(now),),
        "aws:EpochTime": (str(now // 1000),),
        "aws:RequestedRegion": (call.region,),
        "aws:SecureTransport": ("true" if request.secure else "false",),
        "aws:SourceIp": (request.client,),
        "aws:UserAgent": (request.header.get("user-agent", ""),),
        "aws:ViaAWSService": ("false",),
        **evidence.conditions,
    }
    if referer := request.header.get("referer"):
        keys["aws:Referer"] = (referer,)
    if caller.session_expires:
        keys["aws:TokenIssueTime"] = (_time(caller.session_issued),)
        keys["aws:MultiFactorAuthPresent"] = ("true" if caller.mfa_present else "false",)
    if caller.mfa_present:
        keys["aws:MultiFactorAuthAge"] = (str((now - caller.session_issued) // 1000),)
    if caller.source_identity:
        keys["aws:SourceIdentity"] = (caller.source_identity,)
    serial, code = call.parameters.get("serial_number"), call.parameters.get("token_code")
    if serial and code and mfa.presented(platform, connection, caller, serial, code, now):
        keys |= {"aws:MultiFactorAuthPresent": ("true",), "aws:MultiFactorAuthAge": ("0",)}
    return keys


def of_resource(connection: Connection, resource: str, holder: str, account: str, asked: Set[str]) -> Keys:
    """Return the keys that follow from what is stored of a resource, as far as policies ask for them.

    `holder` is the ARN that has its tags, `account` owns it, `asked` are the lower-case names of keys. AWS pages:
    "Actions, resources, and condition keys" for AWS IAM and for Amazon S3.
    """
    keys: Keys = {}
    if account:
        keys["aws:ResourceAccount"] = keys["s3:ResourceAccount"] = (account,)
    if any("tag/" in key for key in asked):
        keys |= _tags(tags_of(connection, holder), "aws:ResourceTag/", "iam:ResourceTag/", "s3:BucketTag/")
        keys |= existing_tags(connection, resource)
    if "iam:permissionsboundary" in asked and (boundary := permissions.boundary_of(connection, resource)):
        keys["iam:PermissionsBoundary"] = (boundary,)
    return keys


def _tags(tags: Mapping[str, str], *prefixes: str) -> Keys:
    return {f"{prefix}{key}": (value,) for key, value in tags.items() for prefix in prefixes}


def _time(milliseconds: int) -> str:
    return moment(milliseconds).strftime("%Y-%m-%dT%H:%M:%SZ")
