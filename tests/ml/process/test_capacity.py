"""How much can be acted on, as people write it."""

from __future__ import annotations

import pytest

from headrace.ml.process.capacity import parse_capacity


@pytest.mark.parametrize(
    ("capacity", "rate", "share"),
    [
        ("200 a week", "1000 a week", 0.2),
        ("1,200 customers per month", "12,000 per month", 0.1),
        ("10/day", "700 a week", 0.1),
        ("50 calls an hour", "1200 a day", 1.0),
        ("5 weekly", "10 weekly", 0.5),
        ("900 a week", "300 a week", 1.0),
        ("20%", None, 0.2),
        ("2.5 %", "100 a day", 0.025),
    ],
)
def test_a_capacity_is_a_share_of_the_rows(capacity, rate, share):
    found = parse_capacity(capacity, rate)
    assert found.share == pytest.approx(share)
    assert found.arrivals is None or found.arrivals > 0


@pytest.mark.parametrize(
    ("capacity", "rate", "said"),
    [
        ("200 a week", None, "add the rate"),
        ("0 a week", "10 a week", "allows no action"),
        ("0%", None, "no share"),
        ("120%", None, "no share"),
        ("-3 a week", "10 a week", "is not a capacity"),
        ("200", "1000 a week", "is not a capacity"),
        ("", None, "is not a capacity"),
        ("a few a week", "1000 a week", "is not a capacity"),
        ("9" * 400 + " a week", "1000 a week", "is not a capacity"),
        ("200 a fortnight", "1000 a week", "is not a capacity"),
        ("200 a week", "0 a week", "rate '0 a week'"),
        ("200 a week", "many", "rate 'many'"),
        ("20%", "many", "rate 'many'"),
    ],
)
def test_what_is_none_is_refused(capacity, rate, said):
    with pytest.raises(ValueError, match=said):
        parse_capacity(capacity, rate)
