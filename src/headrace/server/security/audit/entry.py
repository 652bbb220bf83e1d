"""One call as the trail sees it, and its record in CloudTrail's format 1.11."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import uuid4

from headrace.server.security.audit.arns import described
from headrace.server.security.audit.identity import user_identity
from headrace.server.security.credentials import Caller

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
SECRETS = frozenset(
    {
        "secretAccessKey",
        "sessionToken",
        "password",
        "newPassword",
        "oldPassword",
        "privateKey",
        "plaintext",
        "webIdentityToken",
        "sAMLAssertion",
        "authenticationCode1",
        "authenticationCode2",
        "base32StringSeed",
        "qRCodePNG",
        "tokenCode",
        "secretString",
        "secretBinary",
    }
)
"""Members that no record shows, whichever service they belong to; the door drops what its models mark sensitive."""

GLOBAL_SOURCES = frozenset({"iam.amazonaws.com", "cloudfront.amazonaws.com", "organizations.amazonaws.com"})
"""Sources whose events AWS records in us-east-1, wherever they were called from."""

LARGEST, LARGEST_REFUSED = 200_000, 8_000
"""Characters of a record past which its requestParameters and responseElements are left out: of calls done, refused."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One call, done or refused.

    `parameters` and `answer` are in AWS's casing and already without what the door knows to be secret; `answer` is None
    for calls that only read. `resources` are ARNs. `now` is in milliseconds; `source` is "iam.amazonaws.com" or "iam".
    """

    caller: Caller
    source: str
    operation: str
    region: str
    account: str
    now: int
    request_id: str = ""
    source_address: str = ""
    user_agent: str = ""
    parameters: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    error_code: str = ""
    error_message: str = ""
    read_only: bool = False
    category: str = "Management"
    resources: tuple[str, ...] = ()
    secure: bool = False
    host: str = ""
    additional: Mapping[str, Any] = field(default_factory=dict)


def event_source(entry: Entry) -> str:
    """Return the full name of the service: "iam.amazonaws.com"."""
    return entry.source if "." in entry.source else f"{entry.source}.amazonaws.com"


def event_region(entry: Entry) -> str:
    """Return the region whose trails and lookups show the event."""
    return "us-east-1" if event_source(entry) in GLOBAL_SOURCES else entry.region


def resource_arns(entry: Entry) -> list[str]:
    """Return the ARNs of an entry, each once; the part that names a log stream is left out where none is named."""
    return [*dict.fromkeys(arn.removesuffix(":log-stream:") for arn in entry.resources)]


def document(entry: Entry) -> tuple[str, str]:
    """Return the id of a new event and its record as JSON text; source: AWS, "CloudTrail record contents"."""
    event_id = str(uuid4())
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": user_identity(entry.caller),
        "eventTime": event_time(entry.now // 1000),
        "eventSource": event_source(entry),
        "eventName": entry.operation[:128],
        "awsRegion": event_region(entry),
        "sourceIPAddress": entry.source_address,
        "userAgent": entry.user_agent[:1024],
    }
    if entry.error_code:
        record["errorCode"] = entry.error_code
        record["errorMessage"] = entry.error_message[:1024]
    record["requestParameters"] = cleaned(entry.parameters or None)
    record["responseElements"] = None if entry.error_code or entry.read_only else cleaned(entry.answer or None)
    if entry.additional:
        record["additionalEventData"] = dict(entry.additional)
    record["requestID"] = entry.request_id
    record["eventID"] = event_id
    record["readOnly"] = entry.read_only
    if entry.resources:
        record["resources"] = [
            {"accountId": entry.account, "type": described(arn).kind, "ARN": arn}
            for arn in dict.fromkeys(entry.resources)
        ]
    record["eventType"] = "AwsApiCall"
    record["managementEvent"] = entry.category == "Management"
    record["recipientAccountId"] = entry.account
    record["eventCategory"] = entry.category
    if entry.secure:
        record["tlsDetails"] = {"clientProvidedHostHeader": entry.host[:256]}
    text = _encode(record)
    if len(text) > (LARGEST_REFUSED if entry.error_code else LARGEST):
        for member in ("requestParameters", "responseElements"):
            record[member] = record[member] and {"omitted": True, "originalSize": len(text), "reason": "size"}
        text = _encode(record)
    return event_id, text


@lru_cache(maxsize=8)
def event_time(seconds: int) -> str:
    """Return a time as records show it: "2026-01-31T23:59:59Z"."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def cleaned(value: Any) -> Any:
    """Return plain data with the values of secret members hidden, all the way down."""
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if name[:1].lower() + name[1:] in SECRETS else cleaned(member)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [cleaned(member) for member in value]
    return value


def is_secret(name: str) -> bool:
    """Tell whether the values of members of that name are never shown."""
    return name[:1].lower() + name[1:] in SECRETS


def _plain(value: Any) -> str:
    return event_time(int(value.timestamp())) if isinstance(value, datetime) else HIDDEN


_encode = json.JSONEncoder(separators=(",", ":"), default=_plain).encode
