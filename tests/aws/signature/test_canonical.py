"""botocore's own cases of Signature Version 4, and the canonical forms."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.aws.signature import authenticate, canonical
from headrace.server.errors import Unauthenticated
from headrace.server.messages import Request
from headrace.server.security.credentials import AccessKey, Caller

KEY = AccessKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Caller("IAMUser", "1", "a", "b", "c"))
NOW = int(datetime(2015, 8, 30, 12, 36, tzinfo=UTC).timestamp() * 1000)


def read_request(text: str) -> Request:
    head, _, body = text.partition("\n\n")
    lines = head.replace("\n ", " ").split("\n")
    method, _, rest = lines[0].partition(" ")
    path, _, query = rest.rpartition(" ")[0].partition("?")
    headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
    return Request(method, path, query, headers, body.encode())


def test_every_case_of_botocore_s_suite(botocore_sdist: Path) -> None:
    suite = botocore_sdist / "tests/unit/auth/aws4_testsuite"
    cases = sorted(suite.rglob("*.sreq"))
    assert len(cases) == len(list(suite.rglob("*.req"))) == 34
    for case in cases:
        request = read_request(case.read_text(encoding="utf-8"))
        # get-vanilla-with-session-token.sreq has another signature than its .authz, which is what botocore compares with.
        authorization = case.with_suffix(".authz").read_text(encoding="utf-8").strip()
        headers = tuple(each for each in request.headers if each[0] != "authorization")
        request = replace(request, headers=(*headers, ("authorization", authorization)))
        found = authenticate(request, service="", find_key=lambda *_: KEY, now=NOW)
        assert (found.caller, found.region, found.signing_name) == (KEY.caller, "us-east-1", "service"), case.name
        with pytest.raises(Unauthenticated) as refused:
            authenticate(replace(request, path=request.path + "x"), service="", find_key=lambda *_: KEY, now=NOW)
        assert refused.value.code in ("SignatureDoesNotMatch", "InvalidSignatureException"), case.name


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("/", "/"),
        ("//", "/"),
        ("/..", "/"),
        ("/../../x", "/x"),
        ("/a/./b/", "/a/b/"),
        ("/a%2Fb", "/a%252Fb"),
        ("/arn%3Aaws%3As3", "/arn%253Aaws%253As3"),
    ],
)
def test_paths_of_services_are_normalised_and_encoded_twice(path: str, expected: str) -> None:
    assert canonical.service_path(path) == expected


@given(st.text(st.characters(codec="utf-8", exclude_characters="/"), max_size=20))
def test_the_encoded_form_does_not_depend_on_how_a_client_encodes(name: str) -> None:
    everything = "".join(f"%{byte:02x}" for byte in name.encode())
    once = canonical.encoded_path(f"/{everything}")
    assert canonical.encoded_path(once) == once
    assert canonical.encoded_query(f"{everything}={everything}") == f"{once[1:]}={once[1:]}" or not name


def test_queries_are_sorted_by_name_then_value() -> None:
    assert canonical.sorted_query("b=1&a=2&a=1&&c") == "a=1&a=2&b=1&c="
    assert canonical.encoded_query("b=a+b&a=%7e(") == "a=~%28&b=a%20b"


def test_header_values_are_trimmed() -> None:
    header = {"a": "  x   y\t z ", "b": "à"}
    assert canonical.canonical_headers(header, ("a", "b")) == "a:x y z\nb:à\n"
    with pytest.raises(KeyError):
        canonical.canonical_headers(header, ("c",))
