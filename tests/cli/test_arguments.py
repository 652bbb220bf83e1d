"""Several values after one flag."""

import pytest

from headrace.cli.arguments import spread


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["run", "t.csv", "--exclude", "a", "b"], ["run", "t.csv", "--exclude", "a", "--exclude", "b"]),
        (["run", "--exclude", "a", "t.csv"], ["run", "--exclude", "a", "t.csv"]),
        (["run", "t.csv", "--sensitive", "a", "--target", "y"], ["run", "t.csv", "--sensitive", "a", "--target", "y"]),
        (["predict", "m", "t.csv"], ["predict", "m", "t.csv"]),
        ([], []),
    ],
)
def test_values_are_spread_over_flags(given: list[str], read: list[str]) -> None:
    assert spread(given) == read
