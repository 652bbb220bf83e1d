"""What S3 answers and its model does not tell: names of root elements, its own form of errors, one bare element.

Source: Amazon S3 API Reference, "Error responses" and the response syntax of each operation.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from headrace.aws.errors import Fault
from headrace.aws.protocols.xml_writing import DECLARATION, escape, legible
from headrace.aws.specification import Operation

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycle": "LifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}


def root(operation: Operation) -> str:
    """Return the name of the root element of an operation's answer."""
    known = _ROOTS.get(operation.name) if operation.service.name == "s3" else None
    output = operation.output
    return known or (output.root_name(output.name) if output else f"{operation.name}Response")


def host_id(request_id: str) -> str:
    """Return the second identity of a request, derived from the first."""
    return base64.b64encode(hashlib.sha256(request_id.encode()).digest()).decode()


def error(fault: Fault, path: str, request_id: str) -> str:
    """Return S3's error document, with the resource that was asked for."""
    members = {**fault.members, **fault.extra}
    members.setdefault("Resource", unquote(path, errors="replace"))
    inner = "".join(f"<{name}>{legible(str(value))}</{name}>" for name, value in members.items() if value is not None)
    return (
        f"{DECLARATION}<Error><Code>{legible(fault.code)}</Code><Message>{legible(fault.message)}</Message>{inner}"
        f"<RequestId>{request_id}</RequestId><HostId>{host_id(request_id)}</HostId></Error>"
    )


def _location(rest: dict[str, Any]) -> bytes:
    region = escape(rest.get("LocationConstraint") or "")
    return f'{DECLARATION}<LocationConstraint xmlns="{NAMESPACE}">{region}</LocationConstraint>'.encode()


WHOLE: dict[str, Callable[[dict[str, Any]], bytes]] = {"GetBucketLocation": _location}
"""Operations whose answer is one bare element."""
