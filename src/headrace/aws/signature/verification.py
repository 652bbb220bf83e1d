"""Verifies AWS Signature Version 4, in the Authorization header and in presigned URLs."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from headrace.aws.signature import canonical
from headrace.aws.signature.checksums import check_body
from headrace.aws.signature.claims import Claim, is_presigned, read_header, read_query
from headrace.aws.signature.keys import FindKey, known_key
from headrace.aws.signature.older_urls import is_older_url, signer_of_url
from headrace.aws.signature.payload import (
    NOTHING,
    STREAMS,
    UNSIGNED_PAYLOAD,
    Payload,
    announced_chunks,
    check_whole,
    payload_hash,
)
from headrace.aws.signature.refusals import S3, Dialect, Fault, dialect_of, mismatch
from headrace.server.clock import moment
from headrace.server.errors import InvalidInput, Unauthenticated
from headrace.server.messages import Request
from headrace.server.security.credentials import ANONYMOUS, Caller

LARGEST_SKEW = 15 * 60_000
"""Milliseconds that a client's clock may be ahead or behind."""

TOKEN_HEADER = "x-amz-security-token"  # noqa: S105
"""Need not be signed: clients may add it after signing, and no other token fits the secret."""


@dataclass(frozen=True)
class Verified:
    """Who signed a request, and for what.

    `payload` is what remains to be checked while a streaming body is read; `body` is a body that was here already,
    checked and decoded. `means` is "header", "query", "form" or "" (unsigned), `signed` the time of signing in ms.
    """

    caller: Caller
    region: str = ""
    signing_name: str = ""
    payload: Payload = NOTHING
    body: bytes | None = None
    means: str = ""
    signed: int = 0


def authenticate(
    request: Request,
    *,
    service: str,
    find_key: FindKey,
    now: int,
    anonymous: bool | None = None,
    signing_name: str = "",
    labels: Mapping[str, str] | None = None,
) -> Verified:
    """Return who signed a request to `service` ("" where only the signature tells).

    Unsigned requests are ANONYMOUS where `anonymous` allows it (default: to S3 alone). With `signing_name` the
    credential must be scoped to it. `labels` are the decoded Bucket and Key that an S3 request was routed to; only with
    them presigned URLs of Signature Version 2 are taken. A body that is here already is checked, on S3 also against its
    Content-MD5 or x-amz-checksum-*. Raises Unauthenticated, and InvalidInput on such a body, with the codes of the
    service's kind.
    """
    authorization = request.header.get("authorization")
    presigned = is_presigned(request)
    dialect = dialect_of(request, service or _told(request, authorization))
    if authorization is None and not presigned:
        if service == "s3" and labels is not None and is_older_url(request):
            key = signer_of_url(request, labels, find_key, now)
            return Verified(key.caller, "", "s3", body=_checked(request, NOTHING, dialect), means="query")
        _refuse_version_2(request, dialect)
        if (dialect is S3) if anonymous is None else anonymous:
            return Verified(ANONYMOUS, body=_checked(request, NOTHING, dialect))
        raise missing_token(dialect)
    if authorization is not None and presigned:
        raise InvalidInput(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
            "parameter or the Authorization header should be specified",
            code="InvalidArgument" if dialect is S3 else "",
        )
    claim = read_query(request, dialect) if authorization is None else read_header(request, authorization, dialect)
    if signing_name and claim.signing_name != signing_name:
        raise dialect.refusal(Fault.MISMATCH, f"Credential should be scoped to correct service: '{signing_name}'.")
    check_time(claim, dialect, now)
    key = known_key(claim.access_key_id, claim.token, dialect, find_key, now)
    signed_body = payload_hash(request, dialect, presigned=presigned)
    _check_signed_headers(request, claim, dialect)
    signing_key = canonical.signing_key(key.secret, claim.date, claim.region, claim.signing_name)
    _check_signature(request, claim, dialect, signing_key, signed_body)
    payload = NOTHING
    if signed_body in STREAMS:
        chunks = announced_chunks(request, signed_body, signing_key, claim.stamp, claim.scope, claim.signature)
        payload = Payload(chunks=chunks)
    elif signed_body != UNSIGNED_PAYLOAD:
        payload = Payload(sha256=signed_body)
    body = _checked(request, payload, dialect)
    if body is not None and payload.chunks is None:
        payload = NOTHING
    means = "query" if presigned else "header"
    return Verified(key.caller, claim.region, claim.signing_name, payload, body, means, claim.signed)


def missing_token(dialect: Dialect) -> Unauthenticated:
    """Return the refusal of a request that is not signed at all."""
    return dialect.refusal(Fault.MISSING, "Request is missing Authentication Token")


def check_time(claim: Claim, dialect: Dialect, now: int) -> None:
    """Check a claim's time against the server's; raises Unauthenticated on a skewed clock or an expired URL."""
    allowed = LARGEST_SKEW if claim.expires is None else claim.expires * 1000
    if claim.signed - LARGEST_SKEW <= now <= claim.signed + allowed:
        return
    early = now < claim.signed
    if dialect is S3:
        if claim.expires is None:
            raise dialect.refusal(
                Fault.SKEWED, "The difference between the request time and the current time is too large."
            )
        raise dialect.refusal(Fault.EXPIRED, "Request is not yet valid" if early else "Request has expired")
    server = moment(now)
    minutes = LARGEST_SKEW // 60_000
    if early:
        bound = f"{server + timedelta(milliseconds=LARGEST_SKEW):{_STAMP}} ({server:{_STAMP}} + {minutes} min.)"
        raise dialect.refusal(Fault.SKEWED, f"Signature not yet current: {claim.stamp} is still later than {bound}")
    ago = f"{minutes} min." if claim.expires is None else f"{claim.expires} s"
    bound = f"{server - timedelta(milliseconds=allowed):{_STAMP}} ({server:{_STAMP}} - {ago})"
    raise dialect.refusal(Fault.EXPIRED, f"Signature expired: {claim.stamp} is now earlier than {bound}")


_STAMP = "%Y%m%dT%H%M%SZ"


def _checked(request: Request, payload: Payload, dialect: Dialect) -> bytes | None:
    if request.body is None:
        return None
    body = check_whole(request.body, payload, dialect)
    if dialect is S3 and payload.chunks is None:
        check_body(request, body)
    return body


def _check_signed_headers(request: Request, claim: Claim, dialect: Dialect) -> None:
    names = claim.signed_headers
    if "host" not in names:
        raise dialect.refusal(
            Fault.UNSIGNED_HEADER, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        )
    unsigned = [
        name for name in request.header if name.startswith("x-amz-") and name not in names and name != TOKEN_HEADER
    ]
    if unsigned:
        raise dialect.refusal(
            Fault.UNSIGNED_HEADER,
            f"There were headers present in the request which were not signed: {', '.join(unsigned)}",
        )


def _check_signature(request: Request, claim: Claim, dialect: Dialect, signing_key: bytes, signed_body: str) -> None:
    try:
        headers = canonical.canonical_headers(request.header, claim.signed_headers)
    except KeyError as absent:
        raise dialect.refusal(Fault.MISMATCH, f"The request lacks the signed header {absent}") from None
    ending = f"{headers}\n{';'.join(claim.signed_headers)}\n{signed_body}"
    for path, query in _forms(request, dialect, presigned=claim.expires is not None):
        text = canonical.string_to_sign(claim.stamp, claim.scope, f"{request.method}\n{path}\n{query}\n{ending}")
        if hmac.compare_digest(canonical.sign(signing_key, text), claim.signature):
            return
    raise dialect.refusal(Fault.MISMATCH, mismatch(dialect))


def _forms(request: Request, dialect: Dialect, *, presigned: bool) -> Iterator[tuple[str, str]]:
    """Yield path and query as they may have been signed: as they were sent, then encoded as AWS does.

    The second differs only where a client sends what it did not sign; both say the same.
    """
    without = "X-Amz-Signature" if presigned else ""
    path = (request.path or "/") if dialect is S3 else canonical.service_path(request.path)
    query = canonical.sorted_query(request.query, without=without) if request.query else ""
    yield path, query
    other_path = canonical.encoded_path(path) if dialect is S3 else path
    other_query = canonical.encoded_query(request.query, without=without)
    for form in dict.fromkeys(((other_path, query), (path, other_query), (other_path, other_query))):
        if form != (path, query):
            yield form


def _told(request: Request, authorization: str | None) -> str:
    """Return the signing name inside a credential scope, whatever else is wrong with it."""
    scope = authorization or dict(request.parameters).get("X-Amz-Credential", "")
    parts = scope.partition("Credential=")[2].partition(",")[0] if authorization else scope
    return parts.split("/")[3] if parts.count("/") >= 3 else ""


def _refuse_version_2(request: Request, dialect: Dialect) -> None:
    names = {name for name, _ in request.parameters} if request.query else set()
    form = request.body if request.body and len(request.body) < 1 << 16 else b""
    if ("AWSAccessKeyId" in names and "Signature" in names) or (
        b"SignatureVersion=2" in form and b"AWSAccessKeyId=" in form and dialect is not S3
    ):
        raise dialect.refusal(Fault.UNSUPPORTED, "Signature Version 2 is not supported; please use AWS4-HMAC-SHA256")
