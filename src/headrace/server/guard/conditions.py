"""Condition keys of the request as such, which no door knows."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Connection

from headrace.server.clock import moment
from headrace.server.context import Platform
from headrace.server.guard.door import Call, Evidence
from headrace.server.messages import Request
from headrace.server.operations.authorization import Keys
from headrace.server.operations.identity import mfa


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


def _time(milliseconds: int) -> str:
    return _second(milliseconds // 1000)


@lru_cache(64)
def _second(seconds: int) -> str:
    return moment(seconds * 1000).strftime("%Y-%m-%dT%H:%M:%SZ")
