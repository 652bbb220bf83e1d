import fnmatch
import re

from hypothesis import given
from hypothesis import strategies as st

from headrace.server.security.policy.patterns import Patterns, Variable, Wildcard, tokens

TEXT = st.text(alphabet="ab:/*?[]{}$.\\^", max_size=12)


def reference(pattern: str, text: str) -> bool:
    """Match * and ? by the textbook's recursion, without any regular expression."""
    states = {0}
    for character in text:
        states = _step(pattern, states, character)
    return len(pattern) in _after_stars(pattern, states)


def _after_stars(pattern: str, states: set[int]) -> set[int]:
    found = set(states)
    for state in states:
        while state < len(pattern) and pattern[state] == "*":
            state += 1
            found.add(state)
    return found


def _step(pattern: str, states: set[int], character: str) -> set[int]:
    after: set[int] = set()
    for state in _after_stars(pattern, states):
        if state < len(pattern) and pattern[state] == "*":
            after.add(state)
        elif state < len(pattern) and pattern[state] in ("?", character):
            after.add(state + 1)
    return after


@given(TEXT, TEXT)
def test_wildcards_match_as_the_reference_does(pattern: str, text: str) -> None:
    assert Patterns([pattern]).match(text, {}) is reference(pattern, text)


@given(TEXT.map(lambda text: text.replace("[", "")), TEXT)
def test_wildcards_match_as_fnmatch_does(pattern: str, text: str) -> None:
    assert Patterns([pattern]).match(text, {}) is bool(fnmatch.fnmatchcase(text, pattern))


@given(TEXT, TEXT)
def test_case_is_folded_where_asked(pattern: str, text: str) -> None:
    assert Patterns([pattern.upper()], fold=True).match(text, {}) is reference(pattern, text)


@given(st.lists(TEXT, max_size=4), TEXT)
def test_several_patterns_are_any_of_them(patterns: list[str], text: str) -> None:
    assert Patterns(patterns).match(text, {}) is any(reference(pattern, text) for pattern in patterns)


@given(TEXT, TEXT)
def test_a_variables_value_is_taken_literally(value: str, text: str) -> None:
    assert Patterns(["${test:key}"], variables=True).match(text, {"test:key": (value,)}) is (text == value)


COMPONENT = st.text(alphabet="ab/*?", max_size=4)


@given(
    st.lists(COMPONENT, min_size=6, max_size=6), st.lists(st.text(alphabet="ab/", max_size=4), min_size=6, max_size=8)
)
def test_arns_match_component_by_component(pattern: list[str], text: list[str]) -> None:
    whole = ":".join(text)
    components = whole.split(":", 5)
    if pattern == ["", "", "", "", "", ""] or ":".join(pattern).startswith("*:"):
        return
    expected = all(reference(wanted, given) for wanted, given in zip(pattern, components, strict=True))
    assert Patterns([":".join(pattern)], segmented=True).match(whole, {}) is expected


def test_the_last_component_of_an_arn_may_hold_colons() -> None:
    groups = Patterns(["arn:aws:logs:*:1:log-group:/aws/*:*"], segmented=True)
    assert groups.match("arn:aws:logs:us-east-1:1:log-group:/aws/x:log-stream:y", {})
    assert not groups.match("arn:aws:logs:us-east-1:2:1:log-group:/aws/x:log-stream:y", {})


def test_a_short_arn_that_ends_in_a_star_matches_all_that_follows() -> None:
    assert Patterns(["arn:aws:s3*"], segmented=True).match("arn:aws:s3:::bucket/key", {})
    assert Patterns(["arn:aws:s?:*"], segmented=True).match("arn:aws:s3:::bucket/key", {})
    assert not Patterns(["arn:aws:s3"], segmented=True).match("arn:aws:s3:::bucket/key", {})


def test_a_variable_may_stand_anywhere_in_an_arn() -> None:
    own = Patterns(["arn:aws:s3:::bucket/${aws:username}/*"], variables=True, segmented=True)
    assert own.keys == {"aws:username"}
    assert own.match("arn:aws:s3:::bucket/alice/x/y", {"aws:username": ("alice",)})
    assert not own.match("arn:aws:s3:::bucket/bob/x", {"aws:username": ("alice",)})
    assert not own.match("arn:aws:s3:::bucket//x", {})
    assert not own.match("arn:aws:s3:::bucket/bob/x", {"aws:username": ("*",)})


def test_patterns_are_split_into_tokens() -> None:
    assert tokens("a*${aws:x, 'd'}?${*}", variables=True, wildcards=True) == (
        "a",
        Wildcard.ANY,
        Variable("aws:x", "d"),
        Wildcard.ONE,
        "*",
    )
    assert tokens("a*", variables=False, wildcards=False) == ("a*",)
    assert tokens("", variables=True, wildcards=True) == ()
    assert tokens("${aws:PrincipalTag/cost center}", variables=True, wildcards=True) == (
        Variable("aws:principaltag/cost center"),
    )


def test_a_pattern_of_many_wildcards_ends() -> None:
    pattern = Patterns(["arn:aws:s3:::" + "*a" * 60 + "*b"], segmented=True)
    assert not pattern.match("arn:aws:s3:::" + "a" * 1000, {})


def test_texts_of_regular_expressions_are_only_texts() -> None:
    assert Patterns(["(a+)+$"]).match("(a+)+$", {})
    assert not Patterns(["(a+)+$*"]).match("aaa", {})
    assert re.escape("a.c") and not Patterns(["a.c"]).match("abc", {})
