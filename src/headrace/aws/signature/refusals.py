"""How each kind of service words a refused signature: the same faults under different codes.

AWS pages: "Common Errors" of the query services, "Common Error Types" of the JSON ones, "Error responses" of Amazon S3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from headrace.server.errors import Unauthenticated
from headrace.server.messages import Request

S3_NAMES = frozenset({"s3", "s3control", "s3express", "s3-outposts", "s3-object-lambda"})
"""Services and signing names that canonicalise and refuse as Amazon S3 does."""


class Fault(Enum):
    """What is wrong with a request's signature."""

    MISSING = "MissingAuthenticationToken"
    MALFORMED = "IncompleteSignature"
    MALFORMED_QUERY = "AuthorizationQueryParametersError"
    UNSUPPORTED = "InvalidRequest"
    UNKNOWN_KEY = "InvalidClientTokenId"
    BAD_TOKEN = "InvalidToken"  # noqa: S105
    EXPIRED_TOKEN = "ExpiredToken"  # noqa: S105
    SKEWED = "RequestTimeTooSkewed"
    EXPIRED = "AccessDenied"
    UNSIGNED_HEADER = "HeadersNotSigned"
    MISMATCH = "SignatureDoesNotMatch"


@dataclass(frozen=True)
class Dialect:
    """The code and HTTP status of each fault in one kind of service."""

    name: str
    codes: dict[Fault, tuple[str, int]]

    def refusal(self, fault: Fault, message: str) -> Unauthenticated:
        """Return the error that tells of a fault in this dialect."""
        code, status = self.codes[fault]
        return Unauthenticated(message, code=code, status=status)


S3 = Dialect(
    "s3",
    {
        Fault.MISSING: ("AccessDenied", 403),
        Fault.MALFORMED: ("AuthorizationHeaderMalformed", 400),
        Fault.MALFORMED_QUERY: ("AuthorizationQueryParametersError", 400),
        Fault.UNSUPPORTED: ("InvalidRequest", 400),
        Fault.UNKNOWN_KEY: ("InvalidAccessKeyId", 403),
        Fault.BAD_TOKEN: ("InvalidToken", 400),
        Fault.EXPIRED_TOKEN: ("ExpiredToken", 400),
        Fault.SKEWED: ("RequestTimeTooSkewed", 403),
        Fault.EXPIRED: ("AccessDenied", 403),
        Fault.UNSIGNED_HEADER: ("AccessDenied", 403),
        Fault.MISMATCH: ("SignatureDoesNotMatch", 403),
    },
)


def _of_other_services(name: str, ending: str, unknown: str, mismatch: str, malformed: int, status: int) -> Dialect:
    return Dialect(
        name,
        {
            Fault.MISSING: (f"MissingAuthenticationToken{ending}", status),
            Fault.MALFORMED: (f"IncompleteSignature{ending}", malformed),
            Fault.MALFORMED_QUERY: (f"IncompleteSignature{ending}", malformed),
            Fault.UNSUPPORTED: (f"IncompleteSignature{ending}", malformed),
            Fault.UNKNOWN_KEY: (unknown, status),
            Fault.BAD_TOKEN: (unknown, status),
            Fault.EXPIRED_TOKEN: (f"ExpiredToken{ending}", status),
            Fault.SKEWED: (mismatch, status),
            Fault.EXPIRED: (mismatch, status),
            Fault.UNSIGNED_HEADER: (mismatch, status),
            Fault.MISMATCH: (mismatch, status),
        },
    )


QUERY = _of_other_services("query", "", "InvalidClientTokenId", "SignatureDoesNotMatch", 400, 403)
JSON = _of_other_services("json", "Exception", "UnrecognizedClientException", "InvalidSignatureException", 400, 400)
REST = _of_other_services("rest", "Exception", "UnrecognizedClientException", "InvalidSignatureException", 403, 403)


def dialect_of(request: Request, service: str) -> Dialect:
    """Return the dialect of the service that a request is for, told from its protocol where the name doesn't tell."""
    if service in S3_NAMES:
        return S3
    header = request.header
    if "x-amz-target" in header or "smithy-protocol" in header:
        return JSON
    form = header.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return QUERY if form or request.query.startswith("Action=") or "&Action=" in request.query else REST


def mismatch(dialect: Dialect) -> str:
    """Return the sentence about a signature that differs."""
    advice = (
        "Check your key and signing method."
        if dialect is S3
        else "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )
    return f"The request signature we calculated does not match the signature you provided. {advice}"
