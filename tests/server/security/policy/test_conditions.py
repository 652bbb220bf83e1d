from typing import Any

import pytest

from headrace.server.security.policy.conditions import Condition, Operator


def holds(operator: str, values: Any, given: Any, version: str = "2012-10-17", **context: tuple[str, ...]) -> bool:
    read = Operator.read(operator)
    assert read is not None, operator
    values = [values] if isinstance(values, str) else values
    condition = Condition.of(read, "test:Key", values, variables=version == "2012-10-17")
    keys = {name.replace("__", ":").replace("_", "/"): value for name, value in context.items()}
    if given is not None:
        keys["test:key"] = (given,) if isinstance(given, str) else tuple(given)
    return condition.holds(keys)


SINGLE = [
    # operator, policy's values, request's values, holds
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", ["a", "b"], "b", True),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "a*", "a*", True),
    ("StringEquals", "", "", True),
    ("stringequals", "a", "a", True),
    ("StringNotEquals", "a", "a", False),
    ("StringNotEquals", "a", "b", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringEqualsIgnoreCase", "aBc", "AbC", True),
    ("StringEqualsIgnoreCase", "aBc", "AbD", False),
    ("StringNotEqualsIgnoreCase", "aBc", "AbC", False),
    ("StringNotEqualsIgnoreCase", "aBc", "AbD", True),
    ("StringLike", "a*c", "abbc", True),
    ("StringLike", "a?c", "abc", True),
    ("StringLike", "a?c", "abbc", False),
    ("StringLike", "A*", "abc", False),
    ("StringLike", "*", "", True),
    ("StringLike", "?", "", False),
    ("StringNotLike", "a*", "abc", False),
    ("StringNotLike", "a*", "bcd", True),
    ("NumericEquals", "10", "10.0", True),
    ("NumericEquals", "10", "1e1", True),
    ("NumericEquals", "10", "ten", False),
    ("NumericNotEquals", "10", "11", True),
    ("NumericNotEquals", "10", "10", False),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericLessThanEquals", "10", "10.5", False),
    ("NumericGreaterThan", "10", "11", True),
    ("NumericGreaterThan", "10", "9", False),
    ("NumericGreaterThanEquals", "9007199254740993", "9007199254740992", False),
    ("NumericGreaterThanEquals", "-1", "-1", True),
    ("DateEquals", "2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", True),
    ("DateEquals", "2020-01-01", "1577836800", True),
    ("DateEquals", "2020", "2020-01-01T00:00:00.000Z", True),
    ("DateEquals", "2020-01-01t1:00:00.5+01", "1577836800.5", True),
    ("DateNotEquals", "2020-01-01", "2020-01-02", True),
    ("DateNotEquals", "2020-01-01", "2020-01-01T00:00:00Z", False),
    ("DateLessThan", "2020-01-01T00:00:00Z", "2019-12-31T23:59:59Z", True),
    ("DateLessThan", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", False),
    ("DateLessThanEquals", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", True),
    ("DateGreaterThan", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5Z", True),
    ("DateGreaterThan", "2020-01-01T00:00:00Z", "never", False),
    ("DateGreaterThanEquals", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", True),
    ("Bool", "true", "true", True),
    ("Bool", "True", "true", True),
    ("Bool", "false", "true", False),
    ("Bool", ["true", "false"], "true", True),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    ("BinaryEquals", "QmluYXJ5", "QmluYXI=", False),
    ("BinaryEquals", "QmluYXJ5", "not base64!", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
    ("IpAddress", "203.0.113.7", "203.0.113.7", True),
    ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
    ("IpAddress", "2001:db8::/32", "203.0.113.7", False),
    ("IpAddress", "203.0.113.0/24", "::ffff:203.0.113.7", True),
    ("IpAddress", "203.0.113.0/24", "nowhere", False),
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.7", False),
    ("NotIpAddress", ["203.0.113.0/24", "10.0.0.0/8"], "192.0.2.1", True),
    ("ArnEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", True),
    ("ArnLike", "arn:aws:sns:*:123456789012:*", "arn:aws:sns:eu-west-1:123456789012:topic", True),
    ("ArnLike", "arn:aws:sns:*:topic", "arn:aws:sns:eu-west-1:123456789012:topic", False),
    ("ArnLike", "arn:aws:sns:*:123456789012:x", "arn:aws:sns:eu-west-1:999:123456789012:x", False),
    ("ArnLike", "arn:aws:lambda:*:*:function:f?", "arn:aws:lambda:us-east-1:1:function:f1", True),
    ("ArnLike", "arn:aws:iam::*:role/a/*", "arn:aws:iam::1:role/a/b:c", True),
    ("ArnNotEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", False),
    ("ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::other", True),
    ("Null", "true", "here", False),
    ("Null", "false", "here", True),
]


@pytest.mark.parametrize(("operator", "values", "given", "expected"), SINGLE)
def test_an_operator_compares_as_aws_documents(operator: str, values: Any, given: str, expected: bool) -> None:
    assert holds(operator, values, given) is expected
    if operator != "Null":
        assert holds(f"{operator}IfExists", values, given) is expected
        assert holds(f"ForAnyValue:{operator}", values, given) is expected
        assert holds(f"ForAllValues:{operator}", values, given) is expected


POSITIVE = ["StringEquals", "StringEqualsIgnoreCase", "StringLike", "NumericEquals", "NumericLessThan", "DateEquals",
            "DateGreaterThan", "Bool", "BinaryEquals", "IpAddress", "ArnEquals", "ArnLike"]  # fmt: skip
NEGATED = ["StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "NumericNotEquals", "DateNotEquals",
           "NotIpAddress", "ArnNotEquals", "ArnNotLike"]  # fmt: skip


@pytest.mark.parametrize("operator", POSITIVE + NEGATED)
@pytest.mark.parametrize("given", [None, ()])
def test_an_absent_key_meets_only_negated_operators(operator: str, given: Any) -> None:
    assert holds(operator, "1", given) is (operator in NEGATED)
    assert holds(f"{operator}IfExists", "1", given)
    assert holds(f"ForAllValues:{operator}", "1", given)
    assert not holds(f"ForAnyValue:{operator}", "1", given)
    assert holds(f"ForAnyValue:{operator}IfExists", "1", given)


@pytest.mark.parametrize(("values", "absent"), [("true", True), ("false", False), (["true", "false"], True)])
def test_null_asks_whether_a_key_is_absent(values: Any, absent: bool) -> None:
    assert holds("Null", values, None) is absent


MANY = [
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], False),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
    ("ForAllValues:StringLike", ["x*"], ["x1", "x2"], True),
    ("ForAnyValue:ArnLike", ["arn:aws:s3:::a*"], ["arn:aws:s3:::b", "arn:aws:s3:::ab"], True),
    ("ForAllValues:NumericLessThan", ["5"], ["1", "6"], False),
    ("StringEquals", ["a"], ["b", "a"], True),
    ("StringNotEquals", ["a"], ["b", "a"], False),
]


@pytest.mark.parametrize(("operator", "values", "given", "expected"), MANY)
def test_quantifiers_ask_each_value_of_the_request(operator: str, values: Any, given: Any, expected: bool) -> None:
    assert holds(operator, values, given) is expected


VARIABLES = [
    ("StringEquals", "${aws:username}", "alice", True),
    ("StringEquals", "${aws:username}", "bob", False),
    ("StringEquals", "${aws:UserName}", "alice", True),
    ("StringLike", "home/${aws:username}/*", "home/alice/x", True),
    ("StringLike", "home/${aws:username}/*", "home/bob/x", False),
    ("StringEquals", "${aws:PrincipalTag/team}", "red", True),
    ("StringEquals", "${aws:PrincipalTag/none, 'blue'}", "blue", True),
    ("StringEquals", '${aws:PrincipalTag/none, "blue"}', "blue", True),
    ("StringEquals", "${aws:PrincipalTag/team, 'blue'}", "red", True),
    ("StringEquals", "${aws:PrincipalTag/none}", "", False),
    ("StringNotEquals", "${aws:PrincipalTag/none}", "x", True),
    ("StringLike", "a${*}", "a*", True),
    ("StringLike", "a${*}", "ab", False),
    ("StringLike", "a${?}c", "a?c", True),
    ("StringLike", "a${?}c", "abc", False),
    ("StringLike", "${$}{x}", "${x}", True),
    ("StringLike", "${evil:key}", "anything", False),
    ("StringLike", "${evil:key}", "*", True),
    ("StringEquals", "${many:key}", "one", False),
    ("ArnEquals", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/alice", True),
    ("StringEqualsIgnoreCase", "${aws:username}", "ALICE", True),
    ("StringEquals", "${aws:username", "${aws:username", True),
    ("NumericEquals", "${number:key}", "1", False),
]


@pytest.mark.parametrize(("operator", "value", "given", "expected"), VARIABLES)
def test_policy_variables_stand_for_the_requests_values(operator: str, value: str, given: str, expected: bool) -> None:
    context = {
        "aws__username": ("alice",), "aws__principaltag_team": ("red",), "evil__key": ("*",), "many__key": ("one", "two"),
        "number__key": ("1",),
    }  # fmt: skip
    assert holds(operator, value, given, **context) is expected


def test_the_older_version_has_no_policy_variables() -> None:
    assert not holds("StringEquals", "${aws:username}", "alice", "2008-10-17", aws__username=("alice",))
    assert holds("StringEquals", "${aws:username}", "${aws:username}", "2008-10-17", aws__username=("alice",))


@pytest.mark.parametrize(
    "text",
    ["", "Equals", "StringEqual", "ForSomeValue:StringEquals", "ForAnyValue::StringEquals", "NullIfExists", "IfExists"],
)
def test_unknown_operators_are_none(text: str) -> None:
    assert Operator.read(text) is None
