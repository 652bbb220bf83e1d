"""AWS Signature Version 4: who signed a request, a URL or a form, and whether the body is the one that was signed."""

from headrace.aws.signature.checksums import Claimed, check_body, claimed
from headrace.aws.signature.chunked import ChunkedBody
from headrace.aws.signature.forms import VerifiedForm, authenticate_form
from headrace.aws.signature.intake import BodyIntake
from headrace.aws.signature.keys import FindKey
from headrace.aws.signature.payload import Payload
from headrace.aws.signature.refusals import dialect_of
from headrace.aws.signature.verification import Verified, authenticate, missing_token

__all__ = [
    "BodyIntake",
    "ChunkedBody",
    "Claimed",
    "FindKey",
    "Payload",
    "Verified",
    "VerifiedForm",
    "authenticate",
    "authenticate_form",
    "check_body",
    "claimed",
    "dialect_of",
    "missing_token",
]
