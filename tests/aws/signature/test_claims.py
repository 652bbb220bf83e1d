"""Signatures that are incomplete, impossible, of another time or another version."""

import base64
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest
from botocore.auth import HmacV1Auth, SigV2Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.server.errors import Unauthenticated
from headrace.server.messages import Request

BUCKET = "https://demo.s3.eu-central-1.amazonaws.com"
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
Change = Callable[..., Request]


def test_a_changed_date_or_scope(signing, changed: Change) -> None:
    request = signing.identity_call()
    stamp = request.header["x-amz-date"]
    second = stamp[:-2] + ("1" if stamp[-2] != "1" else "2") + "Z"
    assert signing.refusal(changed(request, {"x-amz-date": second}), service="sts") == ("SignatureDoesNotMatch", 403)
    yesterday = request.header["authorization"].replace(f"/{stamp[:8]}/", "/20150830/")
    assert signing.refusal(changed(request, {"authorization": yesterday}), service="sts")[0] == "SignatureDoesNotMatch"
    put = signing.header("GET", BUCKET + "/")
    yesterday = put.header["authorization"].replace(f"/{stamp[:8]}/", "/20150830/")
    assert signing.refusal(changed(put, {"authorization": yesterday})) == ("AuthorizationHeaderMalformed", 400)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [("week", "a number"), ("-1", "non-negative"), ("604801", "less than a week"), ("9" * 30, "a number")],
)
def test_presigned_urls_that_work_too_long(signing, changed: Change, value: str, sentence: str) -> None:
    request = signing.query("GET", BUCKET + "/")
    with pytest.raises(Unauthenticated, match=sentence) as refused:
        signing.authenticate(
            changed(request, query=request.query.replace("X-Amz-Expires=3600", f"X-Amz-Expires={value}"))
        )
    assert (refused.value.code, refused.value.status) == ("AuthorizationQueryParametersError", 400)


def test_time(signing) -> None:
    put, presigned = signing.header("PUT", BUCKET + "/"), signing.query("GET", BUCKET + "/", expires=3600)
    for later in (-890, 0, 890):
        assert signing.authenticate(put, later=later) and signing.authenticate(presigned, later=later)
    assert signing.authenticate(presigned, later=3590)
    assert signing.refusal(put, later=910) == signing.refusal(put, later=-910) == ("RequestTimeTooSkewed", 403)
    for later, sentence in ((3601, "Request has expired"), (-910, "not yet valid")):
        with pytest.raises(Unauthenticated, match=sentence) as refused:
            signing.authenticate(presigned, later=later)
        assert (refused.value.code, refused.value.status) == ("AccessDenied", 403)
    for service, call, code in (
        ("sts", signing.identity_call, "SignatureDoesNotMatch"),
        ("logs", signing.logs_call, "InvalidSignatureException"),
    ):
        for later, sentence in (
            (910, "Signature expired: .* is now earlier than .*15 min"),
            (-910, "Signature not yet current"),
        ):
            with pytest.raises(Unauthenticated, match=sentence) as refused:
                signing.authenticate(call(), service=service, later=later)
            assert refused.value.code == code


def test_a_date_header_will_do(signing) -> None:
    request = signing.header("GET", "https://iam.amazonaws.com/", headers={"Date": "x"}, service="iam")
    assert "x-amz-date" not in request.header
    assert signing.authenticate(request, service="iam").caller == signing.key.caller


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential=a",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e/f, SignedHeaders=host, Signature=c",
        "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=",
        "AWS4-HMAC-SHA256 Credential=a, Credential=a, Signature=c",
        "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=c, Extra=d",
        "AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date, Signature=c",
        "AWS4-HMAC-SHA256 =,=,=",
    ],
)
def test_malformed_headers(signing, changed: Change, authorization: str) -> None:
    request = changed(signing.identity_call(), {"authorization": authorization})
    assert signing.refusal(request, service="sts") == ("IncompleteSignature", 400)
    request = changed(signing.logs_call(), {"authorization": authorization})
    assert signing.refusal(request, service="logs") == ("IncompleteSignatureException", 400)
    request = changed(signing.header("GET", BUCKET + "/"), {"authorization": authorization})
    assert signing.refusal(request) == ("AuthorizationHeaderMalformed", 400)


@given(st.text(st.characters(codec="latin-1"), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_as_authorization_is_refused(signing, changed: Change, text: str) -> None:
    for value in (
        text,
        f"AWS4-HMAC-SHA256 {text}",
        f"AWS4-HMAC-SHA256 Credential={text}/{text}, SignedHeaders={text}, Signature={text}",
    ):
        code, status = signing.refusal(changed(signing.identity_call(), {"authorization": value}), service="sts")
        assert code and status in (400, 403)


@given(
    st.dictionaries(
        st.sampled_from(["X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"]),
        st.text(max_size=20),
    )
)
def test_any_text_in_a_presigned_url_is_refused(values: dict[str, str]) -> None:
    from headrace.aws.signature import authenticate

    query = "X-Amz-Algorithm=AWS4-HMAC-SHA256" + "".join(f"&{name}={quote(value)}" for name, value in values.items())
    with pytest.raises(Unauthenticated):
        authenticate(Request("GET", "/", query, (("host", "h"),)), service="s3", find_key=lambda *_: None, now=0)


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("/eu-central-1/sts/aws4", "SignatureDoesNotMatch"),
        ("//sts/aws4_request", "SignatureDoesNotMatch"),
        ("/eu_central/sts/aws4_request", "SignatureDoesNotMatch"),
        ("/eu-central-1/s ts/aws4_request", "SignatureDoesNotMatch"),
        ("/EU-CENTRAL-1/sts/aws4_request", "SignatureDoesNotMatch"),
    ],
)
def test_impossible_scopes(signing, changed: Change, scope: str, code: str) -> None:
    request = signing.identity_call()
    authorization = request.header["authorization"].replace("/eu-central-1/sts/aws4_request", scope)
    assert signing.refusal(changed(request, {"authorization": authorization}), service="sts")[0] == code


def test_no_date(signing, changed: Change) -> None:
    assert signing.refusal(changed(signing.identity_call(), {"x-amz-date": None}), service="sts") == (
        "IncompleteSignature",
        400,
    )
    for date in ("tomorrow", "20151330T123600Z", "2015-08-30T12:36:00Z", "20150830T123600+00"):
        request = changed(signing.identity_call(), {"x-amz-date": date})
        assert signing.refusal(request, service="sts") == ("IncompleteSignature", 400)
        assert signing.refusal(changed(signing.header("GET", BUCKET + "/"), {"x-amz-date": date})) == (
            "AccessDenied",
            403,
        )
    request = changed(signing.identity_call(), {"x-amz-date": None, "date": "tomorrow"})
    assert signing.refusal(request, service="sts") == ("IncompleteSignature", 400)


def test_older_and_newer_signatures_are_refused_in_a_sentence(signing, changed: Change) -> None:
    known = Credentials(signing.key.access_key_id, signing.key.secret)
    asked = AWSRequest("GET", BUCKET + "/a")
    asked.auth_path = "/demo/a"
    HmacV1Auth(known).add_auth(asked)
    old = Request("GET", "/a", "", (("host", "h"), ("authorization", asked.headers["Authorization"])))
    query = replace(old, headers=(("host", "h"),), query="AWSAccessKeyId=a&Signature=b&Expires=1")
    newest = changed(
        signing.header("GET", BUCKET + "/"), {"authorization": "AWS4-ECDSA-P256-SHA256 Credential=a/b/sts/aws4_request"}
    )
    presigned = replace(old, headers=(("host", "h"),), query="X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Signature=x")
    for request, sentence in ((old, "AWS4-HMAC-SHA256"), (query, "Version 2"), (newest, "4A"), (presigned, "4A")):
        with pytest.raises(Unauthenticated, match=sentence) as refused:
            signing.authenticate(request)
        assert (refused.value.code, refused.value.status) == ("InvalidRequest", 400)
    form = AWSRequest("POST", "https://sdb.amazonaws.com/", data={"Action": "ListDomains"})
    SigV2Auth(known).add_auth(form)
    body = "&".join(f"{name}={quote(value)}" for name, value in form.data.items()).encode()
    posted = Request("POST", "/", "", (("host", "h"), *FORM.items()), body)
    with pytest.raises(Unauthenticated, match="Version 2"):
        signing.authenticate(posted, service="sdb")
    basic = base64.b64encode(b"name:password").decode()
    assert signing.refusal(changed(signing.identity_call(), {"authorization": f"Basic {basic}"}), service="sts") == (
        "IncompleteSignature",
        400,
    )
