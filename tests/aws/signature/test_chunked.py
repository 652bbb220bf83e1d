"""aws-chunked bodies: AWS's published examples, botocore's wrapper, and every way to break one."""

import hmac
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, CrtCrc64NvmeChecksum
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.aws.signature import ChunkedBody, Verified, authenticate
from headrace.aws.signature.chunked import LONGEST_HEADER, LONGEST_TRAILER, SMALLEST_CHUNK, ChunkSigner
from headrace.server.errors import OperationError
from headrace.server.messages import Request
from headrace.server.security.credentials import AccessKey, Caller

KEY = bytes(range(32))
STAMP, SCOPE, SEED = "20130524T000000Z", "20130524/us-east-1/s3/aws4_request", "5" * 64
EMPTY = sha256().hexdigest()


def signer() -> ChunkSigner:
    return ChunkSigner(KEY, STAMP, SCOPE, SEED)


def signature(algorithm: str, previous: str, rest: str) -> str:
    return hmac.new(KEY, f"{algorithm}\n{STAMP}\n{SCOPE}\n{previous}\n{rest}".encode(), "sha256").hexdigest()


def encoded(chunks: Iterable[bytes], *, signed: bool = True, trailers: dict[str, str] | None = None) -> bytes:
    body, previous = b"", SEED
    for chunk in (*chunks, b""):
        extension = b""
        if signed:
            previous = signature("AWS4-HMAC-SHA256-PAYLOAD", previous, f"{EMPTY}\n{sha256(chunk).hexdigest()}")
            extension = b";chunk-signature=" + previous.encode()
        body += b"%x%s\r\n%s" % (len(chunk), extension, chunk + b"\r\n" if chunk else b"")
    for name, value in (trailers or {}).items():
        body += f"{name}:{value}\r\n".encode()
    if signed and trailers:
        lines = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()))
        last = signature("AWS4-HMAC-SHA256-TRAILER", previous, sha256(lines.encode()).hexdigest())
        body += f"x-amz-trailer-signature:{last}\r\n".encode()
    return body + b"\r\n"


def decoded(decoder: ChunkedBody, body: bytes, size: int = 1 << 20) -> bytes:
    data = b"".join(piece for start in range(0, len(body), size) for piece in decoder.feed(body[start : start + size]))
    decoder.finish()
    return data


def refusal(decoder: ChunkedBody, body: bytes) -> str:
    with pytest.raises(OperationError) as refused:
        decoded(decoder, body)
    return refused.value.code


def published(kind: str, seed: str, signatures: list[str], ending: bytes, *more: tuple[str, str]) -> Verified:
    """Verify the examples of the pages "Signature calculations … multiple chunks" (with and without trailers)."""
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    key = AccessKey("AKIAIOSFODNN7EXAMPLE", secret, Caller("IAMUser", "1", "arn:ann", "AIDA", "arn:ann"))
    headers = [
        ("host", "s3.amazonaws.com"), ("x-amz-date", STAMP), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", kind), ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"), *more,
    ]  # fmt: skip
    names = ";".join(sorted(name for name, _ in headers))
    credential = f"AKIAIOSFODNN7EXAMPLE/{SCOPE}"
    headers.append(
        ("authorization", f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={names},Signature={seed}")
    )
    body = b"".join(
        b"%x;chunk-signature=%s\r\n%s" % (size, each.encode(), b"a" * size + b"\r\n" if size else b"")
        for size, each in zip((65536, 1024, 0), signatures, strict=True)
    )
    request = Request("PUT", "/examplebucket/chunkObject.txt", "", tuple(headers), body + ending)
    now = int(datetime(2013, 5, 24, tzinfo=UTC).timestamp() * 1000)
    return authenticate(request, service="s3", find_key=lambda *_: key, now=now)


def test_aws_s_example_of_signed_chunks() -> None:
    found = published(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        [
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ],
        b"\r\n",
        ("content-length", "66824"),
    )
    assert found.body == b"a" * 66560


def test_aws_s_example_of_signed_chunks_with_a_trailer() -> None:
    found = published(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        [
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        ],
        b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
        b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
        ("x-amz-trailer", "x-amz-checksum-crc32c"),
    )
    assert found.body == b"a" * 66560 and found.payload.chunks is not None


@given(
    sizes=st.lists(st.integers(SMALLEST_CHUNK, 20_000), max_size=3),
    last=st.integers(0, 200),
    block=st.integers(1, 30_000),
    signed=st.booleans(),
    trailing=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_bodies_cut_anywhere_are_decoded(sizes: list[int], last: int, block: int, signed: bool, trailing: bool) -> None:
    chunks = [bytes([number % 251]) * size for number, size in enumerate(sizes)] + ([b"z" * last] if last else [])
    trailers = {"x-amz-checksum-crc32": "AAAAAA==", "x-other": "1"} if trailing else {}
    whole = b"".join(chunks)
    decoder = ChunkedBody(len(whole), signer() if signed else None, tuple(trailers))
    body = encoded(chunks, signed=signed, trailers=trailers)
    assert decoded(decoder, body, max(block, len(body) // 300)) == whole
    assert decoder.trailers == trailers


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_botocore_s_wrapper(size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    name = "x-amz-checksum-crc64nvme"
    wrapper = AwsChunkedWrapper(io.BytesIO(content), CrtCrc64NvmeChecksum, name, chunk_size=16_384)
    decoder = ChunkedBody(size, None, (name,))
    assert decoded(decoder, wrapper.read()) == content
    checksum = CrtCrc64NvmeChecksum()
    checksum.update(content)
    assert decoder.trailers == {name: checksum.b64digest()}


def test_each_bit_of_a_signed_body_counts() -> None:
    body = encoded([b"x" * SMALLEST_CHUNK, b"end"], trailers={"x-amz-checksum-crc32": "AAAAAA=="})
    assert decoded(ChunkedBody(SMALLEST_CHUNK + 3, signer(), ("x-amz-checksum-crc32",)), body)
    for place in [*range(0, 100), *range(SMALLEST_CHUNK, len(body))]:
        changed = bytearray(body)
        changed[place] ^= 4
        decoder = ChunkedBody(SMALLEST_CHUNK + 3, signer(), ("x-amz-checksum-crc32",))
        assert refusal(decoder, bytes(changed)) in (
            "SignatureDoesNotMatch", "InvalidRequest", "IncompleteBody", "MalformedTrailerError", "InvalidChunkSizeError",
        ), place  # fmt: skip


@pytest.mark.parametrize("signed", [True, False])
def test_a_body_that_ends_early_anywhere_is_incomplete(signed: bool) -> None:
    trailers = {"x-amz-checksum-crc32": "AAAAAA=="}
    body = encoded([b"hello"], signed=signed, trailers=trailers)
    for end in range(len(body)):
        decoder = ChunkedBody(5, signer() if signed else None, tuple(trailers))
        assert refusal(decoder, body[:end]) == "IncompleteBody", end


def test_forged_chunks() -> None:
    first, second = b"a" * SMALLEST_CHUNK, b"b" * SMALLEST_CHUNK
    length = 2 * SMALLEST_CHUNK
    body = encoded([first, second])
    assert refusal(ChunkedBody(length, signer()), body.replace(first, second)) == "SignatureDoesNotMatch"
    swapped = encoded([second, first]).replace(b"b" * 9, b"a" * 9)
    assert refusal(ChunkedBody(length, signer()), swapped) == "SignatureDoesNotMatch"
    other = replace(signer(), previous="6" * 64)
    assert refusal(ChunkedBody(length, other), body) == "SignatureDoesNotMatch"
    unsigned = encoded([first, second], signed=False)
    assert refusal(ChunkedBody(length, signer()), unsigned) == "InvalidRequest"
    assert refusal(ChunkedBody(length, None), body) == "InvalidRequest"


def test_lengths() -> None:
    body = encoded([b"hello"], signed=False)
    assert refusal(ChunkedBody(4), body) == "IncompleteBody"
    assert refusal(ChunkedBody(6), body) == "IncompleteBody"
    assert refusal(ChunkedBody(5), body + b"x") == "InvalidRequest"
    assert refusal(ChunkedBody(5), body.replace(b"5\r\n", b"4\r\n")) == "InvalidRequest"
    assert refusal(ChunkedBody(5), b"f" * 16 + body[1:]) == "IncompleteBody"
    small = encoded([b"hello", b"hello"], signed=False)
    assert refusal(ChunkedBody(10), small) == "InvalidChunkSizeError"


@pytest.mark.parametrize(
    "body", [b"x\r\n", b"\r\n", b"-1\r\n", b"5 \r\nhello", b"0x5\r\nhello", b"5;a=b\r\nhello", b"5" * 17 + b"\r\n", b"5\nhello" + b"y" * LONGEST_HEADER]
)  # fmt: skip
def test_headers_that_are_none(body: bytes) -> None:
    assert refusal(ChunkedBody(5), body) == "InvalidRequest"


def test_a_header_without_end_is_not_kept() -> None:
    decoder = ChunkedBody(5)
    with pytest.raises(OperationError):
        for _ in range(LONGEST_HEADER + 1):
            decoder.feed(b"5")


@pytest.mark.parametrize(
    "ending",
    [
        b"x-amz-checksum-crc32:a\r\nx-amz-checksum-crc32:b\r\n\r\n",
        b"x-other:a\r\n\r\n",
        b"no colon\r\n\r\n",
        b"x-amz-checksum-crc32:a\r\nx-other:b\r\n\r\n",
        b"a b:c\r\n\r\n",
        b"\r\n",
        b"x-amz-checksum-crc32:" + b"a" * LONGEST_TRAILER,
    ],
)
def test_trailers_that_were_not_announced_or_are_none(ending: bytes) -> None:
    decoder = ChunkedBody(0, None, ("x-amz-checksum-crc32",))
    assert refusal(decoder, b"0\r\n" + ending) == "MalformedTrailerError"


def test_a_trailer_s_signature() -> None:
    trailers = {"x-amz-checksum-crc32": "AAAAAA=="}
    body = encoded([b"hello"], trailers=trailers)
    assert (
        refusal(ChunkedBody(5, signer(), tuple(trailers)), body.replace(b"AAAAAA", b"BAAAAA"))
        == "SignatureDoesNotMatch"
    )
    start = body.index(b"x-amz-trailer-signature")
    assert refusal(ChunkedBody(5, signer(), tuple(trailers)), body[:start] + b"\r\n") == "SignatureDoesNotMatch"
    forged = body[:start] + "x-amz-trailer-signature:é\r\n\r\n".encode("latin-1")
    assert refusal(ChunkedBody(5, signer(), tuple(trailers)), forged) == "SignatureDoesNotMatch"


def test_a_request_says_how_long_its_decoded_body_is(signing, changed) -> None:
    kind = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    context = {
        "checksum": {"request_algorithm": {"in": "trailer", "algorithm": "crc32", "name": "x-amz-checksum-crc32"}}
    }
    headers = {"x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-crc32"}
    body = encoded([b"hello"], signed=False, trailers={"x-amz-checksum-crc32": "NhCmhg=="})
    request = replace(
        signing.header("PUT", "https://demo.s3.amazonaws.com/a", b"", headers, context=context), body=body
    )
    assert request.header["x-amz-content-sha256"] == kind
    assert signing.authenticate(request).body == b"hello"
    for length in (None, "", "five", "-5"):
        headers = {"x-amz-trailer": "x-amz-checksum-crc32"} | (
            {} if length is None else {"x-amz-decoded-content-length": length}
        )
        bare = signing.header("PUT", "https://demo.s3.amazonaws.com/a", b"", headers, context=context)
        with pytest.raises(OperationError) as refused:
            signing.authenticate(replace(bare, body=body))
        assert (refused.value.code, refused.value.status) == ("MissingContentLength", 411)
