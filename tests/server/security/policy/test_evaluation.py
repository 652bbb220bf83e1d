import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.server.security.policy import Attached, PolicySet, Principal, Question, evaluate, parse_policy

ACCOUNT, OTHER = "123456789012", "999999999999"
KEY = "arn:aws:s3:::bucket/key"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue"
ALL: dict[str, Any] = {"Effect": "Allow"}
DENY: dict[str, Any] = {"Effect": "Deny"}
NONE: dict[str, Any] = {"Action": "none:None"}
Held = Callable[..., PolicySet]
Make = Callable[..., Any]


def effect(
    principal: Principal, policies: PolicySet, resource: str = KEY, action: str = "s3:GetObject", **how: Any
) -> str:
    return evaluate(Question(action, resource, principal, **how), policies).effect


def test_nothing_allowed_is_denied(user: Principal, held: Held) -> None:
    decision = evaluate(Question("s3:GetObject", KEY, user), held())
    assert (decision.effect, decision.lacking, decision.matched) == ("implicitDeny", "identity-based", ())
    assert not decision.allowed


STATEMENTS = [
    ({"Action": "s3:GetObject"}, "allowed"),
    ({"Action": "S3:getobject"}, "allowed"),
    ({"Action": ["s3:Put*", "s3:Get*"]}, "allowed"),
    ({"Action": "s3:Get?bject"}, "allowed"),
    ({"Action": "*"}, "allowed"),
    ({"Action": "s3:*"}, "allowed"),
    ({"Action": "sqs:*"}, "implicitDeny"),
    ({"NotAction": "sqs:*"}, "allowed"),
    ({"NotAction": "s3:Get*"}, "implicitDeny"),
    ({"Resource": KEY}, "allowed"),
    ({"Resource": "arn:aws:s3:::BUCKET/key"}, "implicitDeny"),
    ({"Resource": "arn:aws:s3:::bucket/*"}, "allowed"),
    ({"Resource": "arn:aws:s3:::bucket"}, "implicitDeny"),
    ({"Resource": ["arn:aws:s3:::other/*", "arn:aws:s3:::b*/k?y"]}, "allowed"),
    ({"Resource": "arn:*:s3:::*"}, "allowed"),
    ({"NotResource": "arn:aws:s3:::bucket/*"}, "implicitDeny"),
    ({"NotResource": "arn:aws:s3:::other/*"}, "allowed"),
    ({"Resource": "arn:aws:s3:::${aws:PrincipalTag/team}/*"}, "implicitDeny"),
    ({"Resource": "arn:aws:s3:::bucket/${aws:PrincipalTag/none, 'key'}"}, "allowed"),
    ({"Resource": "arn:aws:s3:::bucket/${aws:nothing}"}, "implicitDeny"),
    ({"Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}}, "allowed"),
    ({"Condition": {"StringEquals": {"AWS:PRINCIPALTAG/TEAM": "red"}}}, "allowed"),
    ({"Condition": {"StringEquals": {"aws:username": "bob"}}}, "implicitDeny"),
    ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/team/*"}}}, "allowed"),
    ({"Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:PrincipalType": "User"}}}, "allowed"),
    ({"Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:PrincipalType": "Root"}}}, "implicitDeny"),
    ({"Condition": {"Bool": {"aws:PrincipalIsAWSService": False}}}, "allowed"),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, "allowed"),
    (
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Bool": {"aws:SecureTransport": "true"}}},
        "implicitDeny",
    ),
    ({"Condition": {"NumericLessThan": {"s3:max-keys": 10}}}, "implicitDeny"),
]


@pytest.mark.parametrize(("statement", "expected"), STATEMENTS)
def test_a_statement_applies_to_what_it_says(user: Principal, held: Held, statement: Any, expected: str) -> None:
    context = {"aws:SourceIp": ("10.1.2.3",)}
    assert effect(user, held(statement), context=context) == expected
    if expected == "allowed":
        assert effect(user, held(ALL, statement | DENY), context=context) == "explicitDeny"
    else:
        assert effect(user, held(ALL, statement | DENY), context=context) == "allowed"


@pytest.mark.parametrize("place", ["identity", "resource", "boundary", "session", "service_control"])
def test_a_denial_anywhere_wins(user: Principal, held: Held, policy: Make, place: str) -> None:
    everyone = {"Principal": "*"}
    whole = {
        "identity": (Attached(policy(ALL), "a"),), "resource": policy(everyone, kind="resource"), "boundary": policy(ALL),
        "session": (policy(ALL),), "service_control": ((policy(ALL),),),
    }  # fmt: skip
    assert effect(user, PolicySet(**whole)) == "allowed"
    denied = {
        "identity": (*whole["identity"], Attached(policy(DENY), "b")), "resource": policy(everyone, everyone | DENY, kind="resource"),
        "boundary": policy(ALL, DENY), "session": (policy(ALL), policy(DENY)), "service_control": ((policy(ALL), policy(DENY)),),
    }  # fmt: skip
    decision = evaluate(Question("s3:GetObject", KEY, user), PolicySet(**(whole | {place: denied[place]})))
    assert decision.effect == "explicitDeny"
    assert [match.kind for match in decision.matched] == [place.replace("_", " ")]


@pytest.mark.parametrize(
    ("others", "lacking"),
    [
        ({"boundary": NONE}, "permissions boundary"),
        ({"session": NONE}, "session"),
        ({"service_control": NONE}, "service control"),
    ],
)
def test_identity_policies_are_limited_by_the_others(
    user: Principal, held: Held, policy: Make, others: Any, lacking: str
) -> None:
    made: dict[str, Any] = {name: policy(statement) for name, statement in others.items()}
    made = {name: {"session": (each,), "service_control": ((each,),)}.get(name, each) for name, each in made.items()}
    decision = evaluate(Question("s3:GetObject", KEY, user), held(ALL, **made))
    assert (decision.effect, decision.lacking) == ("implicitDeny", lacking)
    assert effect(user, PolicySet(**made)) == "implicitDeny"


def test_a_boundary_or_session_policy_grants_nothing(user: Principal, policy: Make) -> None:
    assert effect(user, PolicySet(boundary=policy(ALL), session=(policy(ALL),))) == "implicitDeny"


def test_session_policies_are_one_set(session: Principal, held: Held, policy: Make) -> None:
    allows, other = policy({"Action": "s3:Get*"}), policy({"Action": "sqs:*"})
    assert effect(session, held(ALL, session=(other, allows))) == "allowed"
    assert effect(session, held(ALL, session=(other,))) == "implicitDeny"
    assert effect(session, held(ALL, session=())) == "implicitDeny"


# Who is named by the resource's policy; allowed without identity policies; and with a boundary that allows nothing.
NAMED = [
    ("user", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/team/alice"}, True, True),
    ("user", {"AWS": "AIDAALICE000000000001"}, True, True),
    ("user", "*", True, True),
    ("user", {"AWS": "*"}, True, True),
    ("user", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False, False),
    ("user", {"AWS": ACCOUNT}, False, False),
    ("user", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"}, False, False),
    ("user", {"Service": "sagemaker.amazonaws.com"}, False, False),
    ("session", {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/job"}, True, True),
    ("session", {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/other"}, False, False),
    ("session", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/paths/Reader"}, True, False),
    ("session", {"AWS": "AROAREADER00000000001"}, True, False),
    ("session", {"AWS": ACCOUNT}, False, False),
    ("session", "*", True, True),
    ("federated", {"AWS": f"arn:aws:sts::{ACCOUNT}:federated-user/guest"}, True, True),
    ("federated", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/team/alice"}, False, False),
    ("root", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, True, True),
    ("root", {"AWS": f"arn:aws:iam::{OTHER}:root"}, True, True),
    ("anonymous", "*", True, True),
    ("anonymous", {"AWS": "*"}, True, True),
    ("anonymous", {"AWS": ACCOUNT}, False, False),
]


@pytest.mark.parametrize(("who", "principal", "alone", "limited"), NAMED)
def test_a_resources_policy_grants_by_how_closely_it_names(
    request: pytest.FixtureRequest, policy: Make, held: Held, who: str, principal: Any, alone: bool, limited: bool
) -> None:
    asking = request.getfixturevalue(who)
    resource = policy({"Principal": principal}, kind="resource")
    assert (effect(asking, PolicySet(resource=resource)) == "allowed") is alone
    bounded = PolicySet(resource=resource, boundary=policy(NONE))
    assert (effect(asking, bounded) == "allowed") is limited
    in_session = PolicySet(resource=resource, session=(policy(NONE),))
    assert (effect(asking, in_session) == "allowed") is limited


def test_a_session_limits_what_the_user_behind_it_is_granted(federated: Principal, policy: Make) -> None:
    resource = policy({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/team/alice"}}, kind="resource")
    assert effect(federated, PolicySet(resource=resource, session=(policy(ALL),))) == "allowed"
    assert effect(federated, PolicySet(resource=resource)) == "implicitDeny", "no session policy: no permission"


def test_a_federated_session_without_policies_may_do_nothing(federated: Principal, held: Held, policy: Make) -> None:
    assert effect(federated, held(ALL)) == "implicitDeny"
    assert effect(federated, held(ALL, session=(policy(ALL),))) == "allowed"


@pytest.mark.parametrize(
    ("who", "named", "identity", "expected"),
    [
        ("user", {"AWS": ACCOUNT}, True, "allowed"),
        ("user", {"AWS": ACCOUNT}, False, "implicitDeny"),
        ("user", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/team/alice"}, True, "allowed"),
        ("user", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/team/alice"}, False, "implicitDeny"),
        ("user", "*", False, "implicitDeny"),
        ("user", "*", True, "allowed"),
        ("user", {"AWS": OTHER}, True, "implicitDeny"),
        ("session", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/paths/Reader"}, True, "allowed"),
        ("session", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/paths/Reader"}, False, "implicitDeny"),
        ("root", {"AWS": ACCOUNT}, False, "allowed"),
        ("root", {"AWS": OTHER}, False, "implicitDeny"),
        ("anonymous", "*", False, "allowed"),
    ],
)
def test_across_accounts_both_sides_must_allow(
    request: pytest.FixtureRequest, policy: Make, held: Held, who: str, named: Any, identity: bool, expected: str
) -> None:
    asking = request.getfixturevalue(who)
    resource = policy({"Principal": named}, kind="resource")
    policies = held(*([ALL] if identity else []), resource=resource)
    assert effect(asking, policies, resource_account=OTHER) == expected
    assert effect(asking, policies, f"arn:aws:sqs:us-east-1:{OTHER}:queue") == expected


def test_across_accounts_boundary_and_session_limit_even_named_sessions(
    session: Principal, held: Held, policy: Make
) -> None:
    resource = policy({"Principal": {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/job"}}, kind="resource")
    assert effect(session, held(ALL, resource=resource), resource_account=OTHER) == "allowed"
    for others in ({"boundary": policy(NONE)}, {"session": (policy(NONE),)}):
        assert effect(session, held(ALL, resource=resource, **others), resource_account=OTHER) == "implicitDeny"


def test_without_a_resource_policy_other_accounts_are_closed(user: Principal, held: Held) -> None:
    decision = evaluate(Question("s3:GetObject", KEY, user, resource_account=OTHER), held(ALL))
    assert (decision.effect, decision.lacking) == ("implicitDeny", "resource-based")


ROLE = f"arn:aws:iam::{ACCOUNT}:role/Reader"


@pytest.mark.parametrize(
    ("who", "trusted", "identity", "expected"),
    [
        ("user", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/team/alice"}, False, "allowed"),
        ("user", {"AWS": ACCOUNT}, False, "implicitDeny"),
        ("user", {"AWS": ACCOUNT}, True, "allowed"),
        ("user", {"Service": "sagemaker.amazonaws.com"}, True, "implicitDeny"),
        ("root", {"AWS": ACCOUNT}, False, "allowed"),
        ("root", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/team/alice"}, False, "implicitDeny"),
    ],
)
def test_a_trust_policy_must_allow_explicitly(
    request: pytest.FixtureRequest, policy: Make, held: Held, who: str, trusted: Any, identity: bool, expected: str
) -> None:
    trust = policy({"Principal": trusted}, kind="trust")
    policies = held(*([ALL] if identity else []), resource=trust, resource_must_allow=True)
    assert effect(request.getfixturevalue(who), policies, ROLE, "sts:AssumeRole") == expected
    nobody = held(ALL, resource_must_allow=True)
    assert effect(request.getfixturevalue(who), nobody, ROLE, "sts:AssumeRole") == "implicitDeny"


def test_services_and_identity_providers_are_asked_of_the_trust_policy_alone(policy: Make) -> None:
    service = Principal("AWSService", "", "", service="sagemaker.amazonaws.com")
    web = Principal("WebIdentityUser", "", "", federated="accounts.google.com")
    trust = policy({"Principal": {"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]}}, kind="trust")
    by_web = policy(
        {"Principal": {"Federated": "accounts.google.com"}, "Action": "sts:AssumeRoleWithWebIdentity"}, kind="trust"
    )
    assert effect(service, PolicySet(resource=trust), ROLE, "sts:AssumeRole") == "allowed"
    assert effect(web, PolicySet(resource=trust), ROLE, "sts:AssumeRole") == "implicitDeny"
    assert effect(web, PolicySet(resource=by_web), ROLE, "sts:AssumeRoleWithWebIdentity") == "allowed"
    assert effect(service, PolicySet(), KEY) == "implicitDeny"


def test_root_needs_no_policy_and_has_no_boundary(root: Principal, policy: Make) -> None:
    assert effect(root, PolicySet()) == "allowed"
    assert effect(root, PolicySet(boundary=policy(NONE))) == "allowed"
    assert effect(root, PolicySet(service_control=((policy(NONE),),))) == "implicitDeny"
    assert effect(root, PolicySet(resource=policy({"Principal": "*"} | DENY, kind="resource"))) == "explicitDeny"


# NotPrincipal with Deny spares those it names, and sessions only with their role.
SPARED = [
    ("user", [f"arn:aws:iam::{ACCOUNT}:user/team/alice"], True),
    ("user", [f"arn:aws:iam::{ACCOUNT}:user/bob"], False),
    ("user", [ACCOUNT], False),
    ("session", [f"arn:aws:iam::{ACCOUNT}:role/paths/Reader"], False),
    ("session", [f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/job"], False),
    ("session", [f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/job", f"arn:aws:iam::{ACCOUNT}:role/paths/Reader"], True),
    ("anonymous", [ACCOUNT], False),
]


@pytest.mark.parametrize(("who", "names", "spared"), SPARED)
def test_a_denying_not_principal_spares_whom_it_names(
    request: pytest.FixtureRequest, policy: Make, who: str, names: list[str], spared: bool
) -> None:
    asking = request.getfixturevalue(who)
    resource = policy({"Principal": "*"}, DENY | {"NotPrincipal": {"AWS": names}}, kind="resource")
    assert (effect(asking, PolicySet(resource=resource)) == "allowed") is spared
    assert effect(asking, PolicySet(resource=resource, boundary=policy(ALL))) == "explicitDeny"


def test_an_allowing_not_principal_leaves_out_whom_it_names(
    user: Principal, anonymous: Principal, policy: Make
) -> None:
    for names, allowed in (([ACCOUNT], False), ([user.arn], False), ([OTHER], True)):
        resource = policy({"NotPrincipal": {"AWS": names}}, kind="resource")
        assert (effect(user, PolicySet(resource=resource)) == "allowed") is allowed
        assert effect(anonymous, PolicySet(resource=resource)) == "allowed"


@pytest.mark.parametrize("who", ["user", "session", "federated", "root"])
@pytest.mark.parametrize("named", [ACCOUNT, "*"])
def test_a_denied_account_is_all_its_principals(
    request: pytest.FixtureRequest, held: Held, policy: Make, who: str, named: str
) -> None:
    resource = policy({"Principal": {"AWS": named}} | DENY, kind="resource")
    policies = held(ALL, resource=resource, session=(policy(ALL),))
    assert effect(request.getfixturevalue(who), policies) == "explicitDeny"


def test_a_canonical_user_is_an_account(user: Principal, held: Held, policy: Make) -> None:
    resource = policy({"Principal": {"CanonicalUser": "79a59df900b949e5"}}, kind="resource")
    asking = Principal("IAMUser", ACCOUNT, user.arn, entity=user.arn, canonical_user="79a59df900b949e5")
    assert effect(asking, held(ALL, resource=resource), resource_account=OTHER) == "allowed"
    assert effect(user, held(ALL, resource=resource), resource_account=OTHER) == "implicitDeny"


def test_missing_keys_are_told_as_the_policy_writes_them(user: Principal, held: Held) -> None:
    policies = held(
        {"Condition": {"StringEquals": {"s3:Prefix": "a", "aws:username": "alice"}}},
        {"Resource": "arn:aws:s3:::bucket/${saml:sub}"},
        {"Action": "sqs:*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    )
    assert evaluate(Question("s3:GetObject", KEY, user), policies).missing == ("s3:Prefix", "saml:sub")


def test_the_matched_statements_say_where_they_are(user: Principal, policy: Make) -> None:
    first, second = policy({"Sid": "A", "Action": "sqs:*"}, {"Sid": "B"}), policy({})
    decision = evaluate(
        Question("s3:GetObject", KEY, user),
        PolicySet((Attached(first, "one", "user"), Attached(second, "two", "group"))),
    )
    told = [(match.source, match.type, match.statement.sid, match.statement.index) for match in decision.matched]
    assert told == [("one", "user", "B", 1), ("two", "group", "", 0)]


def test_a_policy_remembers_which_statements_are_about_an_action(policy: Make) -> None:
    made = policy({"Action": "s3:*"}, {"Action": "sqs:*"})
    assert made.about("s3:GetObject") == made.statements[:1]
    for number in range(2000):
        assert made.about(f"sqs:Action{number}") == made.statements[1:]
    assert made.about("s3:GetObject") is made.about("s3:GetObject")


ACTIONS = st.sampled_from(["*", "s3:*", "s3:GetObject", "s3:Get*", "sqs:*", "s3:?etObject"])
RESOURCES = st.sampled_from(["*", KEY, "arn:aws:s3:::bucket/*", "arn:aws:s3:::other/*", "arn:aws:s3:::${aws:username}"])
CONDITIONS = st.sampled_from(
    [
        {}, {"Bool": {"aws:SecureTransport": "true"}}, {"StringNotEquals": {"aws:username": "alice"}},
        {"Null": {"aws:x": "true"}}, {"ForAnyValue:StringLike": {"aws:TagKeys": "a*"}},
    ]
)  # fmt: skip
STATEMENT = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": ACTIONS, "Resource": RESOURCES, "Condition": CONDITIONS}
)
DOCUMENTS = st.lists(STATEMENT, min_size=1, max_size=4)
CONTEXTS = st.dictionaries(
    st.sampled_from(["aws:SecureTransport", "aws:TagKeys", "aws:x"]),
    st.lists(st.sampled_from(["true", "false", "ab"]), max_size=2).map(tuple),
)


def identity(statements: Any) -> Attached:
    return Attached(parse_policy(json.dumps({"Version": "2012-10-17", "Statement": statements})), "drawn")


ALICE = Principal("IAMUser", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/alice", name="alice")


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, CONTEXTS)
def test_an_explicit_denial_always_wins(statements: Any, context: Any) -> None:
    question = Question("s3:GetObject", KEY, ALICE, context)
    denial = identity([{"Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}])
    assert evaluate(question, PolicySet((identity(statements), denial))).effect == "explicitDeny"
    assert evaluate(question, PolicySet((denial, identity(statements)))).effect == "explicitDeny"


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, STATEMENT, CONTEXTS)
def test_one_more_allowance_never_removes_access(statements: Any, further: Any, context: Any) -> None:
    question = Question("s3:GetObject", KEY, ALICE, context)
    before = evaluate(question, PolicySet((identity(statements),)))
    after = evaluate(question, PolicySet((identity([*statements, further | {"Effect": "Allow"}]),)))
    assert after.allowed or not before.allowed
    assert (after.effect == "explicitDeny") is (before.effect == "explicitDeny")


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, DOCUMENTS, CONTEXTS)
def test_a_boundary_never_grants_what_the_identity_lacks(statements: Any, limits: Any, context: Any) -> None:
    question = Question("s3:GetObject", KEY, ALICE, context)
    own, boundary = identity(statements), identity(limits).policy
    both = evaluate(question, PolicySet((own,), boundary=boundary))
    assert both.allowed is (
        evaluate(question, PolicySet((own,))).allowed
        and evaluate(question, PolicySet((Attached(boundary, ""),))).allowed
    )


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, CONTEXTS, st.randoms())
def test_the_order_of_statements_does_not_matter(statements: Any, context: Any, random: Any) -> None:
    question = Question("s3:GetObject", KEY, ALICE, context)
    shuffled = random.sample(statements, len(statements))
    assert (
        evaluate(question, PolicySet((identity(statements),))).effect
        == evaluate(question, PolicySet((identity(shuffled),))).effect
    )
