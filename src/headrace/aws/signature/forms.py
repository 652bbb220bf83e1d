"""Verifies the signature of an S3 POST form, and that the form is what its policy document allows.

AWS pages: "POST Policy" and "Browser-Based Uploads Using POST" of Amazon S3. Forms signed the older way (AWSAccessKeyId
and a HMAC-SHA1 signature of the policy) are taken too, as S3 takes them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headrace.aws.signature.canonical import sign, signing_key
from headrace.aws.signature.claims import ALGORITHM, Claim, claim_of, read_stamp
from headrace.aws.signature.keys import FindKey, known_key
from headrace.aws.signature.refusals import S3, Fault, mismatch
from headrace.aws.signature.verification import Verified
from headrace.server.clock import stamp
from headrace.server.errors import Denied, InvalidInput
from headrace.server.security.credentials import ANONYMOUS

NEED_NO_CONDITION = frozenset({"awsaccesskeyid", "signature", "x-amz-signature", "file", "policy", "bucket"})
"""Form fields that a policy need not name, beside those that begin with x-ignore-."""

LARGEST_POLICY = 20_480


@dataclass(frozen=True)
class VerifiedForm:
    """Who signed a form, and how many bytes its file may have (`largest` None: as many as S3 takes)."""

    verified: Verified
    smallest: int = 0
    largest: int | None = None

    def check_size(self, size: int) -> None:
        """Check the size of the form's file, as far as it has arrived or whole; raises InvalidInput."""
        if self.largest is not None and size > self.largest:
            raise InvalidInput("Your proposed upload exceeds the maximum allowed size", code="EntityTooLarge")

    def check_whole_size(self, size: int) -> None:
        """Check the size of the form's whole file; raises InvalidInput."""
        self.check_size(size)
        if size < self.smallest:
            raise InvalidInput("Your proposed upload is smaller than the minimum allowed size", code="EntityTooSmall")


def authenticate_form(fields: Mapping[str, str], *, find_key: FindKey, now: int) -> VerifiedForm:
    """Return who signed a form whose fields allow this upload at time `now` (ms).

    `fields` are the form's, names in any case, with "bucket" from the request's address and "${filename}" put into
    "key". A form without a policy is anonymous. Raises Unauthenticated, Denied on what the policy does not allow, and
    InvalidInput on a broken policy.
    """
    given = {name.lower(): value for name, value in fields.items()}
    if "policy" not in given:
        if "x-amz-signature" in given or "signature" in given:
            raise InvalidInput(
                "Bucket POST must contain a field named 'policy'. If it is specified, please check the order of the "
                "fields.",
                code="InvalidArgument",
            )
        return VerifiedForm(Verified(ANONYMOUS))
    verified = _signer(given, find_key, now)
    smallest, largest = check_policy(given["policy"], given, now)
    return VerifiedForm(verified, smallest, largest)


def check_policy(policy: str, fields: Mapping[str, str], now: int) -> tuple[int, int | None]:
    """Check a form's fields (lower-case names) against its policy; returns the bounds of the file's size.

    Raises InvalidInput (InvalidPolicyDocument) on a policy that is no policy, Denied when it expired or forbids.
    """
    document = _read(policy)
    if now > _expiration(document):
        raise Denied("Invalid according to Policy: Policy expired.", code="AccessDenied")
    bounds: tuple[int, int | None] = (0, None)
    named = set()
    for condition in _conditions(document):
        operator, name, value = _parts(condition)
        if operator == "content-length-range":
            bounds = _range(name, value)
            continue
        name = str(name).lower()
        named.add(name)
        if not _holds(operator, name, str(value), fields.get(name)):
            raise Denied(
                f"Invalid according to Policy: Policy Condition failed: {json.dumps([operator, f'${name}', value])}",
                code="AccessDenied",
            )
    extra = [name for name in fields if name not in named | NEED_NO_CONDITION and not name.startswith("x-ignore-")]
    if extra:
        raise Denied(f"Invalid according to Policy: Extra input fields: {', '.join(extra)}", code="AccessDenied")
    return bounds


def _signer(given: Mapping[str, str], find_key: FindKey, now: int) -> Verified:
    if "x-amz-signature" not in given and "awsaccesskeyid" in given:
        return _older_signer(given, find_key, now)
    claim = _claim(given)
    key = known_key(claim.access_key_id, claim.token, S3, find_key, now)
    expected = sign(signing_key(key.secret, claim.date, claim.region, claim.signing_name), given["policy"])
    if not hmac.compare_digest(expected, claim.signature):
        raise S3.refusal(Fault.MISMATCH, mismatch(S3))
    return Verified(key.caller, claim.region, claim.signing_name, means="form", signed=claim.signed)


def _claim(given: Mapping[str, str]) -> Claim:
    needed = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
    lacking = [name for name in needed if not given.get(name)]
    if lacking:
        raise _lacks(lacking[0])
    if given["x-amz-algorithm"] != ALGORITHM:
        raise S3.refusal(Fault.UNSUPPORTED, f"x-amz-algorithm must be {ALGORITHM}; sign the form with it")
    signed = read_stamp(given["x-amz-date"])
    if signed is None:
        raise InvalidInput("x-amz-date must be in the form yyyyMMdd'T'HHmmss'Z'", code="InvalidArgument")
    return claim_of(
        given["x-amz-credential"], "", given["x-amz-signature"], given["x-amz-date"], signed,
        given.get("x-amz-security-token"), S3, Fault.MALFORMED,
    )  # fmt: skip


def _older_signer(given: Mapping[str, str], find_key: FindKey, now: int) -> Verified:
    if not given.get("signature"):
        raise _lacks("signature")
    key = known_key(given["awsaccesskeyid"], given.get("x-amz-security-token"), S3, find_key, now)
    expected = base64.b64encode(hmac.digest(key.secret.encode(), given["policy"].encode(), "sha1"))
    if not hmac.compare_digest(expected, given["signature"].encode()):
        raise S3.refusal(Fault.MISMATCH, mismatch(S3))
    return Verified(key.caller, "", "s3", means="form", signed=now)


def _lacks(name: str) -> InvalidInput:
    return InvalidInput(
        f"Bucket POST must contain a field named '{name}'. If it is specified, please check the order of the fields.",
        code="InvalidArgument",
    )


def _read(policy: str) -> dict[str, Any]:
    if len(policy) > LARGEST_POLICY:
        raise _no_policy(f"it has more than {LARGEST_POLICY} characters")
    try:
        document = json.loads(base64.b64decode("".join(policy.split()), validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _no_policy("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _no_policy("Invalid JSON.")
    return document


def _expiration(document: dict[str, Any]) -> int:
    text = document.get("expiration")
    if not isinstance(text, str):
        raise _no_policy("Policy missing expiration.")
    try:
        if "T" not in text:
            raise ValueError
        return stamp(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise _no_policy(f"Invalid 'expiration' value: '{text[:40]}'") from None


def _conditions(document: dict[str, Any]) -> list[Any]:
    conditions = document.get("conditions")
    if not isinstance(conditions, list) or not conditions:
        raise _no_policy("Policy missing conditions.")
    return conditions


def _parts(condition: Any) -> tuple[str, Any, Any]:
    """Return operator, field name and value of a condition in either of its forms."""
    if isinstance(condition, dict) and len(condition) == 1:
        name, value = next(iter(condition.items()))
        if isinstance(value, str | int):
            return "eq", name, value
    if isinstance(condition, list) and len(condition) == 3 and isinstance(condition[0], str):
        operator = condition[0].lower()
        name, value = condition[1:]
        if operator == "content-length-range":
            return operator, name, value
        if operator in ("eq", "starts-with") and isinstance(name, str) and name[:1] == "$" and isinstance(value, str):
            return operator, name[1:], value
    raise _no_policy(f"Invalid condition: {json.dumps(condition)[:80]}")


def _range(smallest: Any, largest: Any) -> tuple[int, int]:
    try:
        bounds = int(smallest), int(largest)
    except (TypeError, ValueError):
        raise _no_policy("content-length-range needs two numbers of bytes") from None
    if not 0 <= bounds[0] <= bounds[1]:
        raise _no_policy("content-length-range needs a smallest and a not smaller largest number of bytes")
    return bounds


def _holds(operator: str, name: str, value: str, given: str | None) -> bool:
    if operator == "eq":
        return given == value
    if given is None:
        return not value
    if name == "content-type":
        return all(each.strip().startswith(value) for each in given.split(","))
    return given.startswith(value)


def _no_policy(what: str) -> InvalidInput:
    return InvalidInput(f"Invalid Policy: {what}", code="InvalidPolicyDocument")
