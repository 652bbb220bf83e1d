"""Condition keys that tell how a request to Amazon S3 was signed."""

from __future__ import annotations

from headrace.aws.signature import Verified
from headrace.server.messages import Request

_MEANS = {"header": "REST-HEADER", "query": "REST-QUERY-STRING", "form": "POST"}


def of_signature(request: Request, verified: Verified, now: int) -> dict[str, tuple[str, ...]]:
    """Return the keys of a verified signature; `now` is in milliseconds, as the age of a signature is.

    AWS page: "Amazon S3 API operations: Signature Version 4 authentication specific policy keys".
    """
    if not verified.means:
        return {}
    keys: dict[str, tuple[str, ...]] = {"s3:authType": (_MEANS[verified.means],)}
    if verified.signed:
        keys["s3:signatureversion"] = ("AWS4-HMAC-SHA256",)
        keys["s3:signatureAge"] = (str(max(0, now - verified.signed)),)
    else:
        keys["s3:signatureversion"] = ("AWS",)
    if digest := request.header.get("x-amz-content-sha256"):
        keys["s3:x-amz-content-sha256"] = (digest,)
    return keys
