"""Claimed digests, in headers and trailers, and bodies that are staged."""

import base64
import hashlib
import io
from dataclasses import replace

import pytest
from botocore.httpchecksum import _CHECKSUM_CLS, AwsChunkedWrapper

from headrace.aws.signature import BodyIntake, Payload, check_body, claimed
from headrace.aws.signature.payload import Chunks
from headrace.server.errors import InvalidInput
from headrace.server.messages import Request
from headrace.server.stores import digests
from headrace.server.stores.objects import Staged

BODY = b"the body of a request"


def put(headers: dict[str, str], method: str = "PUT", query: str = "") -> Request:
    return Request(method, "/a", query, (("host", "h"), *headers.items()), None)


def code_of(request: Request, body: bytes = BODY) -> str:
    with pytest.raises(InvalidInput) as refused:
        check_body(request, body)
    return refused.value.code


def text(name: str, body: bytes = BODY) -> str:
    return base64.b64encode(digests.digest(name, body)).decode()


def take(request: Request, body: bytes, payload: Payload) -> Staged:
    intake = BodyIntake(request, payload)
    data = b"".join(piece for start in range(0, len(body), 7) for piece in intake.feed(body[start : start + 7]))
    return intake.finish(Staged("blob", len(data), {name: digests.digest(name, data) for name in intake.digests}))


@pytest.mark.parametrize("name", digests.SIZES)
def test_each_checksum_as_botocore_computes_it(name: str) -> None:
    if name in _CHECKSUM_CLS:
        assert _CHECKSUM_CLS[name]().handle(BODY) == text(name)
    request = put({f"x-amz-checksum-{name}": text(name), "x-amz-sdk-checksum-algorithm": name.upper()})
    assert check_body(request, BODY) == (name, text(name))
    assert take(request, BODY, Payload()).checksum == (name, text(name))
    assert code_of(request, BODY + b"x") == "BadDigest"


@pytest.mark.parametrize(
    "value", ["", "x", "AAAA", "AAAAAA", "AAAAAA==\n", "not base64!", "AAAAAAAAAAA=", "Ä", "sOO8/Q==-2"]
)
def test_values_that_are_no_checksum(value: str) -> None:
    assert code_of(put({"x-amz-checksum-crc32": value})) == "InvalidRequest"
    assert code_of(put({"content-md5": value})) == "InvalidDigest"


def test_content_md5() -> None:
    md5 = base64.b64encode(hashlib.md5(BODY).digest()).decode()
    assert check_body(put({"content-md5": md5}), BODY) is None
    assert code_of(put({"content-md5": md5}), b"other") == "BadDigest"
    both = put({"content-md5": md5, "x-amz-checksum-sha1": text("sha1")})
    assert check_body(both, BODY) == ("sha1", text("sha1")) and claimed(both).needed == ("md5", "sha1")
    assert claimed(put({})).needed == () and check_body(put({}), BODY) is None


def test_headers_about_checksums_that_are_none() -> None:
    headers = {
        "x-amz-checksum-mode": "ENABLED",
        "x-amz-checksum-algorithm": "SHA256",
        "x-amz-checksum-type": "COMPOSITE",
    }
    assert check_body(put(headers), BODY) is None
    complete = put({"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-type": "FULL_OBJECT"}, "POST", "uploadId=1")
    assert check_body(complete, BODY) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA=="},
        {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-trailer": "x-amz-checksum-crc32c"},
        {"x-amz-trailer": "x-amz-checksum-crc32, x-amz-checksum-crc32c"},
        {"x-amz-trailer": "x-amz-checksum-adler32"},
        {"x-amz-sdk-checksum-algorithm": "CRC32"},
        {"x-amz-sdk-checksum-algorithm": "ADLER32", "x-amz-checksum-crc32": "AAAAAA=="},
        {"x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": "AAAAAA=="},
    ],
)
def test_claims_that_contradict_themselves(headers: dict[str, str]) -> None:
    assert code_of(put(headers)) == "InvalidRequest"
    with pytest.raises(InvalidInput):
        BodyIntake(put(headers), Payload())


@pytest.mark.parametrize("name", digests.SIZES)
def test_a_checksum_in_a_trailer(name: str) -> None:
    header = f"x-amz-checksum-{name}"
    request = put({"x-amz-trailer": header, "x-amz-sdk-checksum-algorithm": name.upper()})
    payload = Payload(chunks=Chunks(len(BODY), (header,)))

    def wrapped(value: str) -> bytes:
        return b"%x\r\n%s\r\n0\r\n%s:%s\r\n\r\n" % (len(BODY), BODY, header.encode(), value.encode())

    staged = take(request, wrapped(text(name)), payload)
    assert staged.checksum == (name, text(name)) and staged.size == len(BODY)
    if name in _CHECKSUM_CLS:
        assert AwsChunkedWrapper(io.BytesIO(BODY), _CHECKSUM_CLS[name], header).read() == wrapped(text(name))
    for value, code in ((text(name, b"other"), "BadDigest"), ("", "InvalidRequest"), ("AAA=", "InvalidRequest")):
        with pytest.raises(InvalidInput) as refused:
            take(request, wrapped(value), payload)
        assert refused.value.code == code


def test_a_trailer_needs_a_chunked_body() -> None:
    with pytest.raises(InvalidInput, match="aws-chunked"):
        BodyIntake(put({"x-amz-trailer": "x-amz-checksum-crc32"}), Payload())


def test_the_signed_digest_of_a_streamed_body(signing) -> None:
    request = signing.header("PUT", "https://demo.s3.amazonaws.com/a", BODY, {"content-md5": text("md5")})
    payload = signing.authenticate(replace(request, body=None)).payload
    assert BodyIntake(request, payload).digests == ("md5", "sha256")
    assert BodyIntake(request, payload, ("crc64nvme", "md5")).digests == ("md5", "sha256", "crc64nvme")
    assert take(request, BODY, payload).checksum is None
    with pytest.raises(InvalidInput) as refused:
        take(request, BODY[:-1] + b"x", payload)
    assert refused.value.code == "XAmzContentSHA256Mismatch"


def test_a_chunked_body_that_ends_early_is_not_finished() -> None:
    with pytest.raises(InvalidInput) as refused:
        take(put({}), b"5\r\nhel", Payload(chunks=Chunks(5)))
    assert refused.value.code == "IncompleteBody"
