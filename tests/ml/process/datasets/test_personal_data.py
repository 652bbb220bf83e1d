"""Personal data and secrets in values: found by form and check digits, never shown."""

import polars as pl
import pytest

from headrace.ml.process.datasets.personal_data import find_personal_data
from headrace.ml.tables.columns import Column, ColumnKind


def find(name: str, values: list[str], kind: ColumnKind = ColumnKind.CATEGORY) -> str | None:
    found = find_personal_data(pl.DataFrame({name: values}), [Column(name, kind)])
    return found[name].kind if name in found else None


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("contact", "ada.lovelace+x@mail.example.org", "email"),
        ("account", "GB82 WEST 1234 5698 7654 32", "iban"),
        ("account", "DE89370400440532013000", "iban"),
        ("card", "4111 1111 1111 1111", "credit card"),
        ("card", "378282246310005", "credit card"),
        ("number", "078-05-1120", "social security number"),
        ("address", "192.168.10.254", "ip address"),
        ("address", "2001:db8:85a3::8a2e:370:7334", "ip address"),
        ("contact", "+41 44 668 18 00", "phone"),
        ("contact", "(555) 123-4567", "phone"),
        ("phone_home", "0446681800", "phone"),
        ("passport_no", "X1234567", "passport"),
        ("customer_name", "Ada", "name"),
        ("Name", "Braund, Mr. Owen Harris", "name"),
        ("billing_street", "4814 Moore Land Suite 451", "address"),
        ("note", "AKIAIOSFODNN7EXAMPLE", "secret"),
        ("note", "-----BEGIN RSA PRIVATE KEY-----", "secret"),
        ("password", "hunter2!", "secret"),
    ],
)
def test_each_kind_is_found(name, value, kind):
    assert find(name, [value] * 20) == kind


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account", "GB82 WEST 1234 5698 7654 33"),
        ("card", "4111 1111 1111 1112"),
        ("number", "000-12-3456"),
        ("version", "192.168.10.999"),
        ("product", "X1234567"),
        ("amount", "123456789"),
        ("mood", "me@home"),
        ("plan", "Month-to-month"),
        ("time", "10:15:30"),
    ],
)
def test_what_only_looks_alike_is_not(name, value):
    assert find(name, [value] * 20) is None


def test_card_numbers_are_found_in_number_columns():
    frame = pl.DataFrame({"n": [4111111111111111] * 10})
    assert find_personal_data(frame, [Column("n", ColumnKind.NUMBER)])["n"].kind == "credit card"


def test_dates_are_not_looked_at():
    assert find("contact", ["(555) 123-4567"] * 9, ColumnKind.DATE) is None


def test_personal_data_inside_texts_is_found():
    texts = ["please write to ada@example.org about the bill"] + ["nothing to see here at all"] * 20
    assert find("comment", texts, ColumnKind.TEXT) == "email in text"


def test_one_address_among_a_hundred_values_is_enough():
    assert find("contact", ["ada@example.org"] + ["none given"] * 99) == "email"


def test_long_hostile_values_take_no_time_worth_mentioning():
    assert find("note", ["a" * 200_000 + "@" + "." * 200_000] * 50) is None


def test_a_missing_column_is_nothing():
    assert find("note", ["", "", ""]) is None
    assert find_personal_data(pl.DataFrame({"n": [None, None]}), [Column("n", ColumnKind.NUMBER)]) == {}


def test_cards_inside_texts_are_found_and_decimals_are_none():
    assert find("note", ["paid with (4111 1111 1111 1111), thank you"] * 9, ColumnKind.TEXT) == "credit card in text"
    assert find("note", ['{"share": 0.4111111111111111, "kind": "z"}'] * 9, ColumnKind.TEXT) is None
