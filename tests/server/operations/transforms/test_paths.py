"""JSONPath as SageMaker's guide has it."""

import pytest

from headrace.server.containers.contract import ClientError
from headrace.server.operations.transforms.paths import read_path

RECORD = {
    "id": {"a": 1, "b": [2, 3]},
    "features": [1, 2, 3, 4, 5, 6],
    "a-b": {"c d": 7, "it's": 8},
    "rows": [{"x": 1}, {"x": 2}],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", RECORD),
        ("", RECORD),
        ("$.features", [1, 2, 3, 4, 5, 6]),
        ("$['features']", [1, 2, 3, 4, 5, 6]),
        ("$.id.*", [1, [2, 3]]),
        ("$.id[*]", [1, [2, 3]]),
        ("$.id.a", 1),
        ("$['id','missing','rows']", {"id": RECORD["id"], "rows": RECORD["rows"]}),
        ("$.id['a', 'b']", {"a": 1, "b": [2, 3]}),
        ("$.id.['a','b']", {"a": 1, "b": [2, 3]}),
        ("$.features[1]", 2),
        ("$.features[-1]", 6),
        ("$.features[1,3,5]", [2, 4, 6]),
        ("$.features[2:5]", [3, 4, 5]),
        ("$.features[:5]", [1, 2, 3, 4, 5]),
        ("$.features[2:]", [3, 4, 5, 6]),
        ("$.features[0:-1]", [1, 2, 3, 4, 5]),
        ("$.features[0,4:]", [1, 5, 6]),
        ("$.features[ 0 , -1 ]", [1, 6]),
        ("$.rows[*].x", [1, 2]),
        ("$.rows[0:1].x", [1]),
        ("$.a-b['c d']", 7),
        ("$.a-b['it\\'s']", 8),
        ('$.a-b["it\'s"]', 8),
    ],
)
def test_select(path: str, found: object) -> None:
    assert read_path(path).select(RECORD) == found


@pytest.mark.parametrize(
    "path",
    [
        "features",
        "$.",
        "$..a",
        "$[?(@.x)]",
        "$[",
        "$[1",
        "$[]",
        "$['a]",
        "$[a]",
        "$ ",
        "$.a b",
        "$[1:2:3]",
        "$.length()",
        "@",
        "$$",
        "$[1,'a']",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ClientError, match="no JSONPath that batch transform supports"):
        read_path(path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.missing", {}),
        ("$.a", [1]),
        ("$[3]", [1, 2, 3]),
        ("$[-4]", [1, 2, 3]),
        ("$[0]", {"a": 1}),
        ("$.*", 7),
        ("$.a.b", {"a": 1}),
    ],
)
def test_what_finds_nothing_is_an_error(path: str, value: object) -> None:
    with pytest.raises(ClientError, match="JSONPath"):
        read_path(path).select(value)


@pytest.mark.parametrize(
    ("path", "row"),
    [
        ("$", "abcdef"),
        ("$[*]", "abcdef"),
        ("$[1:]", "bcdef"),
        ("$[:5]", "abcde"),
        ("$[0,-1]", "af"),
        ("$[0,4:]", "aef"),
        ("$[5]", "f"),
        ("$[1:4]", "bcd"),
    ],
)
def test_columns(path: str, row: str) -> None:
    assert read_path(path).columns()(list("abcdef")) == list(row)


def test_columns_have_no_names() -> None:
    for path in ("$.id", "$['id']", "$[0].x", "$[0][1]"):
        with pytest.raises(ClientError, match="CSV"):
            read_path(path).columns()
    with pytest.raises(ClientError, match="index 6 of 6"):
        read_path("$[6]").columns()(list("abcdef"))
