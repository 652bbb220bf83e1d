import pytest

from headrace.server.security.credentials import ANONYMOUS, Caller
from headrace.server.security.policy import Principal, Question, Unresolved

ACCOUNT = "123456789012"


def test_a_session_is_asked_by_its_role() -> None:
    caller = Caller(
        "AssumedRole", ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s", "AROA1:s", f"arn:aws:iam::{ACCOUNT}:role/p/R",
        session_tags={"Team": "blue"},
    )  # fmt: skip
    principal = Principal.of(caller, {"Team": "red", "cost": "1"})
    assert principal.context == {
        "aws:principalarn": (f"arn:aws:iam::{ACCOUNT}:role/p/R",),
        "aws:principalaccount": (ACCOUNT,),
        "aws:principaltype": ("AssumedRole",),
        "aws:userid": ("AROA1:s",),
        "aws:principalisawsservice": ("false",),
        "aws:principaltag/team": ("blue",),
        "aws:principaltag/cost": ("1",),
    }
    assert principal.unique_ids == ("AROA1",)


def test_only_a_user_has_a_user_name() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/alice"
    assert Principal.of(Caller("IAMUser", ACCOUNT, arn, "AIDA1", arn, "alice")).context["aws:username"] == ("alice",)
    root = Principal.of(
        Caller("Root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    )
    assert "aws:username" not in root.context
    assert root.context["aws:principaltype"] == ("Account",)
    assert Principal.of(ANONYMOUS).context["aws:principaltype"] == ("Anonymous",)


def test_given_keys_go_before_those_of_the_principal_whatever_their_case() -> None:
    principal = Principal("IAMUser", ACCOUNT, "arn", name="alice")
    question = Question(
        "s3:GetObject", "*", principal, {"AWS:UserName": ("bob",), "aws:TagKeys": (), "S3:Prefix": ("x",)}
    )
    assert question.keys["aws:username"] == ("bob",)
    assert question.keys["s3:prefix"] == ("x",)
    assert "aws:tagkeys" not in question.keys


@pytest.mark.parametrize(
    ("resource", "account", "owner"),
    [
        ("arn:aws:sqs:us-east-1:999999999999:q", "", "999999999999"),
        ("arn:aws:sqs:us-east-1:999999999999:q", "1" * 12, "1" * 12),
        ("arn:aws:s3:::b", "", ACCOUNT),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "", ACCOUNT),
        ("*", "", ACCOUNT),
    ],
)
def test_the_owner_of_a_resource(resource: str, account: str, owner: str) -> None:
    assert Question("a:b", resource, Principal("Root", ACCOUNT, "arn"), resource_account=account).owner == owner


def test_an_unresolved_arn_is_a_text_that_knows_its_name() -> None:
    arn = Unresolved("arn:aws:iam::1:role/R", "iam/role", "R")
    assert (arn, arn.kind, arn.name) == ("arn:aws:iam::1:role/R", "iam/role", "R")
    assert {arn: 1}["arn:aws:iam::1:role/R"] == 1
