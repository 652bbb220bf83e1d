"""Filter patterns, by AWS's own examples."""

import json
import time

import pytest

from headrace.server.errors import InvalidInput
from headrace.server.operations.logs.patterns import pattern_of

ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
EVENT = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "flag": True,
        "cluster.name": "c",
        "latency": 12.5,
        "code": "404",
    }
)


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ("ERROR ARGUMENTS", "ARGUMENTS then ERROR", True),
        ("ERROR ARGUMENTS", "ERROR", False),
        ("?ERROR ?WARN", "WARN", True),
        ("?ERROR ?WARN", "INFO", False),
        ("ERROR -EXIT", "ERROR 1", True),
        ("ERROR -EXIT", "ERROR EXIT", False),
        ("?WARN ERROR", "ERROR", True),
        ('"out of memory"', "it is out of memory", True),
        ('"out of memory"', "memory is out of", False),
        ('"say \\"hi\\""', 'they say "hi"', True),
        ('-"out of"', "all fine", True),
        (r"%[45]\d\d%", "status 404", True),
        (r"%[45]\d\d%", "status 200", False),
        ('{ $.eventType = "UpdateTrail" }', EVENT, True),
        ('{ $.eventType = "updatetrail" }', EVENT, False),
        ('{ $.eventType = Update* }', EVENT, True),
        ('{ $.eventType = "*Trail" }', EVENT, True),
        ('{ $.eventType = "U*e*l" }', EVENT, True),
        ('{ $.sourceIPAddress != 123.123.* }', EVENT, True),
        ('{ $.sourceIPAddress != 111.* }', EVENT, False),
        ('{ $.missing != "x" }', EVENT, False),
        ('{ $.arrayKey[0] = "value" }', EVENT, True),
        ('{ $.arrayKey[7] = "value" }', EVENT, False),
        ("{ $.objectList[1].id = 2 }", EVENT, True),
        ("{ $.objectList[*].id = 1 }", EVENT, True),
        ("{ $.SomeObject IS NULL }", EVENT, True),
        ("{ $.missing IS NULL }", EVENT, False),
        ("{ $.SomeOtherObject NOT EXISTS }", EVENT, True),
        ("{ $.flag IS TRUE }", EVENT, True),
        ("{ $.flag IS FALSE }", EVENT, False),
        ("{ $.['cluster.name'] = c }", EVENT, True),
        ("{ $.latency >= 12.5 && $.latency < 13 }", EVENT, True),
        ("{ $.latency = 1.25e1 }", EVENT, True),
        ("{ $.code = 404 }", EVENT, True),
        ("{ $.code > 400 }", EVENT, True),
        ('{ ($.eventType = "x") || ($.flag IS TRUE && $.latency > 1) }', EVENT, True),
        ('{ $.eventType = %^Up.*l$% }', EVENT, True),
        ('{ $.a = 1 }', "not json", False),
        ('{ $.a = 1 }', '{"a": 1', False),
        ("[ip, identity, user, time, request, status, size]", ACCESS, True),
        ("[ip, identity, user, time, request, status]", ACCESS, False),
        ("[ip, identity, user, time, request, status = 4*, size > 1000]", ACCESS, True),
        ("[ip, identity, user, time, request, status = 200, size]", ACCESS, False),
        ("[..., request = *html*, status = 4*, size]", ACCESS, True),
        ("[ip, ..., size]", ACCESS, True),
        ("[ip = 127.*, ...]", ACCESS, True),
        ("[,,,,,,]", ACCESS, True),
        ("[ip, , user = frank || user = bob, ...]", ACCESS, True),
        ("[ip, id, user, time, request, status != 404, size]", ACCESS, False),
        ("[w1 = ERROR && w1 != %x%, w2]", "ERROR 1", True),
    ],
)  # fmt: skip
def test_what_patterns_match(pattern: str, message: str, matches: bool) -> None:
    assert (pattern_of(pattern)(message) is not None) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        "{", "{}", "{ }", "{ $.a }", "{ $.a = }", "{ a = 1 }", "{ $.a = 1 &&}", "{ ($.a = 1 }", "{ $.a > x }",
        "{ $.a IS MAYBE }", "{ $.a = 1 $.b = 2 }", "[", "[a", "[..., ...]", "[a = 1 || b = 2]", "[a =]", "(", ")(", '"open',
        "{ $.a = %[% }", "%(%", "{ " + "(" * 500 + "$.a = 1" + ")" * 500 + " }", "a%b", "{ $.a = \"x }",
    ],
)  # fmt: skip
def test_patterns_that_are_refused(pattern: str) -> None:
    if pattern in ("(", ")("):
        assert pattern_of(pattern)("x(") is not None or pattern == ")("
        return
    with pytest.raises(InvalidInput, match="Invalid filter pattern"):
        pattern_of(pattern)


def test_what_is_extracted() -> None:
    match = pattern_of("{ $.latency > 1 && $.flag IS TRUE }")(EVENT)
    assert match is not None
    assert match.values() == {"$.latency": "12.5", "$.flag": "true"}
    assert match.value("$.objectList[0].name") == "a"
    assert match.value("$.none") is None
    fields = pattern_of("[ip, , user, ...]")(ACCESS)
    assert fields is not None
    assert fields.values() == {"$ip": "127.0.0.1", "$2": "-", "$user": "frank"}


def test_a_regular_expression_that_explodes_gives_up() -> None:
    begun = time.monotonic()
    assert pattern_of("%(a|a|aa)+$%")("a" * 5_000 + "b") is None
    assert time.monotonic() - begun < 30


def test_a_message_too_deep_to_read_does_not_match() -> None:
    assert pattern_of("{ $.a = 1 }")("[" * 100_000 + "]" * 100_000) is None
