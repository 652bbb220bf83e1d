"""What may stand after `--join`."""

import pytest

from headrace.ml.errors import OptionError
from headrace.ml.tables.joining.specification import JoinRequest, parse_join, source_stem


@pytest.mark.parametrize(
    ("text", "source", "keys", "time"),
    [
        ("calls.csv:id", "calls.csv", (("id", "id"),), None),
        ("p.parquet:id=customer@paid at", "p.parquet", (("id", "customer"),), "paid at"),
        ("postgresql://h:5432/db#orders:a, b=c", "postgresql://h:5432/db#orders", (("a", "a"), ("b", "c")), None),
    ],
)
def test_a_join_is_read_and_written(
    text: str, source: str, keys: tuple[tuple[str, str], ...], time: str | None
) -> None:
    request = parse_join(text)
    assert request == JoinRequest(source, keys, time)
    assert parse_join(request.text) == request


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("calls.csv", "names no key; write calls.csv:KEY"),
        ("s3://bucket/calls.csv", "names no key"),
        (":id", "names no key"),
        ("calls.csv:", "empty key"),
        ("calls.csv:a,,b", "empty key"),
        ("calls.csv:a=", "empty key"),
        ("calls.csv:a@", "no time column after @"),
        ("calls.csv:a,a", "names a key twice"),
    ],
)
def test_what_is_no_join_is_said(text: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        parse_join(text)


def test_columns_begin_with_the_name_of_the_table() -> None:
    assert source_stem("/data/calls.csv.gz") == "calls"
    assert source_stem("postgresql://host/db#orders") == "orders"
