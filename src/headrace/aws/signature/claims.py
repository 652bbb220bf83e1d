"""What a request says of its own signature: in the Authorization header, or in a presigned URL's query.

AWS pages: "Authenticating Requests: Using the Authorization Header" and "… Using Query Parameters".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from headrace.aws.signature.refusals import S3, Dialect, Fault
from headrace.server.clock import stamp
from headrace.server.messages import Request

ALGORITHM = "AWS4-HMAC-SHA256"
WEEK = 604_800
"""The longest that a presigned URL may work, in seconds."""

_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_REGION = re.compile(r"[a-z0-9-]{1,32}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUERY_NAMES = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature")


@dataclass(frozen=True, slots=True)
class Claim:
    """A signature and what it is said to cover.

    `stamp` is the time of signing as AWS writes it (20150830T123600Z), `signed` the same in ms since 1970; `expires` is
    how many seconds a presigned URL works, None for header signatures.
    """

    access_key_id: str
    date: str
    region: str
    signing_name: str
    signed_headers: tuple[str, ...]
    signature: str
    stamp: str
    signed: int
    token: str | None = None
    expires: int | None = None

    @property
    def scope(self) -> str:
        """The credential scope without the key's id."""
        return f"{self.date}/{self.region}/{self.signing_name}/aws4_request"


def is_presigned(request: Request) -> bool:
    """Tell whether the query carries a signature, of whatever version."""
    query = request.query
    return "X-Amz-" in query and any(name in ("X-Amz-Algorithm", "X-Amz-Signature") for name, _ in request.parameters)


def read_header(request: Request, authorization: str, dialect: Dialect) -> Claim:
    """Return the claim of an Authorization header; raises Unauthenticated on one that is incomplete or not SigV4."""
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        raise _unsupported(algorithm, dialect)
    fields: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name in fields or name not in ("Credential", "SignedHeaders", "Signature"):
            raise _malformed(dialect, f"it has {name[:40]!r} where one Credential, SignedHeaders or Signature belongs")
        fields[name] = value
    if len(fields) < 3:
        lacking = next(name for name in ("Credential", "SignedHeaders", "Signature") if name not in fields)
        raise _malformed(dialect, f"it requires the parameter {lacking!r}")
    text, signed = _time_of(request, dialect)
    token = request.header.get("x-amz-security-token")
    return claim_of(
        fields["Credential"],
        fields["SignedHeaders"],
        fields["Signature"],
        text,
        signed,
        token,
        dialect,
        Fault.MALFORMED,
    )


def read_query(request: Request, dialect: Dialect) -> Claim:
    """Return the claim of a presigned URL; raises Unauthenticated."""
    given = dict(request.parameters)
    algorithm = given.get("X-Amz-Algorithm", "")
    if algorithm and algorithm != ALGORITHM:
        raise _unsupported(algorithm, dialect)
    needed = (*_QUERY_NAMES, "X-Amz-Expires") if dialect is S3 else _QUERY_NAMES
    lacking = [name for name in needed if not given.get(name)]
    if lacking:
        raise dialect.refusal(
            Fault.MALFORMED_QUERY,
            f"Query-string authentication version 4 requires the parameters {', '.join(needed)}; "
            f"{', '.join(lacking)} is missing",
        )
    signed = read_stamp(given["X-Amz-Date"])
    if signed is None:
        raise dialect.refusal(
            Fault.MALFORMED_QUERY, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        )
    expires = _expires(given.get("X-Amz-Expires"), dialect)
    return claim_of(
        given["X-Amz-Credential"], given["X-Amz-SignedHeaders"], given["X-Amz-Signature"], given["X-Amz-Date"], signed,
        given.get("X-Amz-Security-Token"), dialect, Fault.MALFORMED_QUERY, expires,
    )  # fmt: skip


def claim_of(
    credential: str,
    signed_headers: str,
    signature: str,
    text: str,
    signed: int,
    token: str | None,
    dialect: Dialect,
    fault: Fault,
    expires: int | None = None,
) -> Claim:
    """Return a claim of its parts; raises Unauthenticated when the credential or another one has not AWS's form."""
    parts = credential.split("/")
    if len(parts) != 5 or not _NAME.fullmatch(parts[0]):
        raise _malformed(
            dialect, 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"', fault
        )
    access_key_id, date, region, signing_name, ending = parts
    if ending != "aws4_request":
        raise _scope_fault(
            dialect, fault, f"Credential should be scoped with a valid terminator: 'aws4_request', not {ending[:40]!r}"
        )
    if not _REGION.fullmatch(region) or not _NAME.fullmatch(signing_name):
        raise _scope_fault(dialect, fault, "Credential should be scoped to a valid region and service")
    if date != text[:8]:
        raise _scope_fault(
            dialect, fault,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"{date[:16]!r} != {text[:8]!r}, from {text!r}",
        )  # fmt: skip
    if not _SIGNATURE.fullmatch(signature):
        raise dialect.refusal(Fault.MISMATCH, "The signature is not 64 lower-case hexadecimal digits")
    names = tuple(signed_headers.split(";")) if signed_headers else ()
    return Claim(access_key_id, date, region, signing_name, names, signature, text, signed, token, expires)


def read_stamp(text: str) -> int | None:
    """Return the time (ms) of a stamp like 20150830T123600Z, or None when it has another form.

    >>> read_stamp("20150830T123600Z")
    1440938160000
    """
    if len(text) != 16 or text[8] != "T" or text[15] != "Z" or not (text[:8] + text[9:15]).isdecimal():
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp()) * 1000
    except ValueError:
        return None


def _time_of(request: Request, dialect: Dialect) -> tuple[str, int]:
    text = request.header.get("x-amz-date")
    if text is not None:
        signed = read_stamp(text)
        if signed is not None:
            return text, signed
    elif "date" in request.header:
        try:
            moment = _date(request.header["date"]).astimezone(UTC)
            return moment.strftime("%Y%m%dT%H%M%SZ"), stamp(moment)
        except (ValueError, TypeError, IndexError, OverflowError):
            pass
    if dialect is S3:
        raise dialect.refusal(Fault.EXPIRED, "AWS authentication requires a valid Date or x-amz-date header")
    raise _malformed(dialect, "it requires a valid 'X-Amz-Date' or 'Date' header beside it")


def _date(text: str) -> datetime:
    signed = read_stamp(text)
    return parsedate_to_datetime(text) if signed is None else datetime.fromtimestamp(signed / 1000, UTC)


def _expires(text: str | None, dialect: Dialect) -> int:
    if text is None:
        return 900
    fault = Fault.MALFORMED_QUERY
    if not re.fullmatch(r"-?[0-9]{1,15}", text):
        raise dialect.refusal(fault, "X-Amz-Expires should be a number")
    if int(text) < 0:
        raise dialect.refusal(fault, "X-Amz-Expires must be non-negative")
    if int(text) > WEEK:
        raise dialect.refusal(
            fault,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{WEEK} seconds",
        )
    return int(text)


def _unsupported(algorithm: str, dialect: Dialect) -> Exception:
    if algorithm.startswith("AWS4-ECDSA"):
        return dialect.refusal(Fault.UNSUPPORTED, f"Signature Version 4A is not supported; please use {ALGORITHM}")
    return dialect.refusal(
        Fault.UNSUPPORTED,
        f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM}.",
    )


def _malformed(dialect: Dialect, what: str, fault: Fault = Fault.MALFORMED) -> Exception:
    return dialect.refusal(fault, f"The authorization header is malformed; {what}")


def _scope_fault(dialect: Dialect, fault: Fault, message: str) -> Exception:
    return dialect.refusal(fault if dialect is S3 else Fault.MISMATCH, message)
