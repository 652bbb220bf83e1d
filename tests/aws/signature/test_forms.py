"""Forms that botocore signs, and everything a policy may forbid."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.auth import HmacV1PostAuth
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from headrace.aws.signature import VerifiedForm, authenticate_form
from headrace.aws.signature.forms import check_policy
from headrace.server.errors import OperationError
from headrace.server.security.credentials import ANONYMOUS

NOW = 1_800_000_000_000
LATER = "2030-01-01T00:00:00Z"
KEY = ["eq", "$key", "a.txt"]


def verify(signing, fields: dict[str, str], later: int = 0) -> VerifiedForm:
    return authenticate_form(fields, find_key=signing.find_key, now=int(time.time() * 1000) + later * 1000)


def refusal(signing, fields: dict[str, str], later: int = 0) -> tuple[str, int]:
    with pytest.raises(OperationError) as refused:
        verify(signing, fields, later)
    return refused.value.code, refused.value.status


def botocore_form(
    signing, *, token: str | None = None, fields: dict | None = None, conditions: list | None = None
) -> dict:
    client = boto3.client(
        "s3", region_name="eu-central-1", aws_access_key_id=signing.key.access_key_id,
        aws_secret_access_key=signing.key.secret, aws_session_token=token,
    )  # fmt: skip
    made = client.generate_presigned_post("demo", "a/${filename}", Fields=fields, Conditions=conditions, ExpiresIn=600)
    return made["fields"] | {"bucket": "demo", "key": "a/name.txt"}


@pytest.mark.parametrize("token", [None, "token/of+a=session"])
def test_a_form_that_botocore_signs(signing, token: str | None) -> None:
    form = botocore_form(
        signing, token=token, fields={"acl": "private"},
        conditions=[{"acl": "private"}, ["content-length-range", 1, 10]],
    )  # fmt: skip
    found = verify(signing, form)
    assert found.verified.caller == signing.key.caller and found.verified.means == "form"
    assert (found.verified.region, found.verified.signing_name) == ("eu-central-1", "s3")
    assert (found.smallest, found.largest) == (1, 10)
    assert verify(signing, {name.upper(): value for name, value in form.items()} | {"x-ignore-me": "x"})
    found.check_size(0)
    for size, code in ((0, "EntityTooSmall"), (11, "EntityTooLarge")):
        with pytest.raises(OperationError) as refused:
            found.check_whole_size(size)
        assert refused.value.code == code
    with pytest.raises(OperationError):
        found.check_size(11)


def test_every_field_that_is_changed_is_noticed(signing) -> None:
    form = botocore_form(signing, token="token/of+a=session")
    assert verify(signing, form)
    expected = {
        "key": ("AccessDenied", 403),
        "bucket": ("AccessDenied", 403),
        "policy": ("SignatureDoesNotMatch", 403),
        "x-amz-algorithm": ("InvalidRequest", 400),
        "x-amz-credential": ("InvalidToken", 400),
        "x-amz-date": ("InvalidArgument", 400),
        "x-amz-security-token": ("InvalidToken", 400),
        "x-amz-signature": ("SignatureDoesNotMatch", 403),
    }
    assert set(expected) == set(form)
    for name, told in expected.items():
        assert refusal(signing, form | {name: "other" + form[name]}) == told, name
    assert refusal(signing, form | {"acl": "public-read"}) == ("AccessDenied", 403)
    assert refusal(signing, form, later=601) == ("AccessDenied", 403)
    for name in ("policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date"):
        assert refusal(signing, {each: value for each, value in form.items() if each != name}) == (
            "InvalidArgument",
            400,
        )
    other = form["x-amz-credential"].replace("EXAMPLE", "EXAMPLF")
    assert refusal(signing, form | {"x-amz-credential": other}) == ("InvalidToken", 400)
    assert refusal(signing.having(active=False), form) == ("InvalidAccessKeyId", 403)
    assert refusal(signing.having(secret="other"), form) == ("SignatureDoesNotMatch", 403)


def test_a_form_without_policy_is_anonymous(signing) -> None:
    assert verify(signing, {"key": "a", "bucket": "demo"}).verified.caller == ANONYMOUS


def test_a_form_signed_the_older_way(signing, sign) -> None:
    from botocore.credentials import Credentials

    expires = datetime.now(UTC) + timedelta(minutes=5)
    policy = {"expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"), "conditions": [{"bucket": "demo"}, KEY]}
    asked = AWSRequest("POST", "https://demo.s3.amazonaws.com/")
    asked.context["s3-presign-post-policy"] = policy
    HmacV1PostAuth(Credentials(signing.key.access_key_id, signing.key.secret)).add_auth(asked)
    form = asked.context["s3-presign-post-fields"] | {"bucket": "demo", "key": "a.txt"}
    assert verify(signing, form).verified.caller == signing.key.caller
    assert refusal(signing, form | {"signature": "x"}) == ("SignatureDoesNotMatch", 403)
    assert refusal(signing, form | {"signature": ""}) == ("InvalidArgument", 400)
    assert refusal(signing, form | {"AWSAccessKeyId": "x"}) == ("InvalidAccessKeyId", 403)
    assert refusal(signing, form | {"key": "b.txt"}) == ("AccessDenied", 403)


def check(document: Any, **fields: str) -> tuple[int, int | None]:
    policy = document if isinstance(document, str) else base64.b64encode(json.dumps(document).encode()).decode()
    given = {name.replace("_", "-"): value for name, value in fields.items()}
    return check_policy(policy, {"policy": policy, "bucket": "demo", **given}, NOW)


def code_of(document: Any, **fields: str) -> tuple[str, int]:
    with pytest.raises(OperationError) as refused:
        check(document, **fields)
    return refused.value.code, refused.value.status


@pytest.mark.parametrize(
    "document",
    [
        "",
        "!",
        base64.b64encode(b"{").decode(),
        base64.b64encode(b"[" * 9000).decode(),
        base64.b64encode(b"\xff").decode(),
        "A" * 30_000,
        [],
        {},
        {"expiration": LATER},
        {"EXPIRATION": LATER, "conditions": [KEY]},
        {"expiration": LATER, "CONDITIONS": [KEY]},
        {"expiration": "2030-01-01 00:00:00+00:00", "conditions": [KEY]},
        {"expiration": "tomorrow at Two", "conditions": [KEY]},
        {"expiration": 5, "conditions": [KEY]},
        *(
            {"expiration": LATER, "conditions": conditions}
            for conditions in (
                [], {}, [{}], [[]], ["key"], [{"a": "b", "c": "d"}], [{"a": ["b"]}], [["eq", "key", "a"]], [["eq", "$key"]],
                [["like", "$key", "a"]], [["eq", "$key", 5]], [["content-length-range", 0]],
                [["content-length-range", -1, 5]], [["content-length-range", 5, 1]], [["content-length-range", "a", 1]],
                [["content-length-range", None, 1]], [[["eq"], "$key", "a"]],
            )
        ),
    ],
)  # fmt: skip
def test_documents_that_are_no_policy(document: Any) -> None:
    assert code_of(document, key="a.txt") == ("InvalidPolicyDocument", 400)


def test_conditions() -> None:
    def policy(*conditions: Any) -> dict[str, Any]:
        return {"expiration": LATER, "conditions": [{"bucket": "demo"}, *conditions]}

    assert check(policy(KEY), key="a.txt") == (0, None)
    assert check(policy(["StArTs-WiTh", "$KeY", "a"], {"aCl": "private"}), key="a.txt", acl="private") == (0, None)
    assert check(policy(["starts-with", "$key", ""], ["content-length-range", "0", 5]), key="x") == (0, 5)
    numbered = base64.b64encode(json.dumps(policy(KEY, {"success_action_status": 201})).encode()).decode()
    fields = {"policy": numbered, "bucket": "demo", "key": "a.txt", "success_action_status": "201"}
    assert check_policy(numbered, fields, NOW) == (0, None)
    types = ["starts-with", "$Content-Type", "image/"]
    assert check(policy(KEY, types), key="a.txt", content_type="image/png, image/jpeg") == (0, None)
    for fields in (
        {"key": "b.txt"},
        {},
        {"key": "a.txt", "acl": "private"},
        {"key": "a.txt", "x_amz_meta_a": "b"},
    ):
        assert code_of(policy(KEY), **fields) == ("AccessDenied", 403)
    assert code_of(policy(KEY, types), key="a.txt", content_type="image/png,text/html") == ("AccessDenied", 403)
    assert code_of(policy(KEY, ["starts-with", "$x-amz-meta-a", "b"]), key="a.txt") == ("AccessDenied", 403)
    assert code_of({"expiration": "2020-01-01T00:00:00.000Z", "conditions": [KEY]}, key="a.txt") == (
        "AccessDenied",
        403,
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=4), each, max_size=2),
        max_leaves=6,
    )
)
def test_any_condition_is_answered(condition: Any) -> None:
    code, status = code_of({"expiration": LATER, "conditions": [condition, ["eq", "$none", "x"]]}, key="a")
    assert (code, status) in (("InvalidPolicyDocument", 400), ("AccessDenied", 403))
