"""Prices of mistakes, as options and files write them."""

from __future__ import annotations

import pytest

from headrace.ml.applications.deciding import Request, merge_prices, parse_prices, read_prices
from headrace.ml.errors import OptionError


def test_options_and_files_say_the_same(tmp_path):
    wanted = {"a b": {"c": 1250.5, "*": 1.0}, "c": {"a b": 2.0}}
    assert parse_prices(["a b:c=1,250.5", "a b : *=1", "c:a b=2"]) == wanted
    (tmp_path / "p.yaml").write_text("a b: {c: 1250.5, '*': 1}\nc: {a b: 2}\n")
    (tmp_path / "p.csv").write_text('actual,c,*,a b\na b,"1,250.5",1,\n\nc,,,2\n')
    assert read_prices(tmp_path / "p.yaml") == read_prices(tmp_path / "p.csv") == wanted


@pytest.mark.parametrize("text", ["a:b", "a=5", ":b=5", "a:=5", "a:b=dear", "a:b:c=5", ""])
def test_options_that_are_no_price_are_refused(text):
    with pytest.raises(OptionError, match="--cost '"):
        parse_prices([text])


def test_a_price_given_twice_is_refused():
    with pytest.raises(OptionError, match="a:b is given twice"):
        parse_prices(["a:b=1", "a:b=2"])


def test_labels_that_are_numbers_become_text_and_the_second_goes_first():
    assert merge_prices({"1": {"2": 3.0, "3": 4.0}}, {1: {2: 5.0}}) == {"1": {"2": 5.0, "3": 4.0}}


def test_costs_that_are_no_mapping_are_refused():
    with pytest.raises(OptionError, match="actual → decided → money"):
        Request(costs={"a": 5})


@pytest.mark.parametrize("amount", [-1.0, float("inf"), 1e13])
def test_prices_that_are_no_amounts_are_refused(amount):
    with pytest.raises(OptionError, match="--cost a:b"):
        Request(costs={"a": {"b": amount}})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.yaml", "a: {b: -1}", "amounts are never negative"),
        ("p.yaml", "a: 5", "'costs.a'; it must be a mapping"),
        ("p.yaml", "", "write actual"),
        ("p.yaml", "a: {b: 1, b: 2}", "the key 'b' twice"),
        ("p.csv", "a,b\n", "holds no matrix"),
        ("p.csv", "x,b,c\na,1\n", "has 1 prices in line 2"),
        ("p.csv", "x,b\na,1\na,2\n", "a class twice"),
        ("p.csv", "x,b\na,dear\n", "has 'dear' as the price of a:b"),
    ],
)
def test_files_that_are_no_prices_are_refused(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(OptionError, match=said):
        read_prices(tmp_path / name)


def test_a_file_that_is_absent_is_refused(tmp_path):
    with pytest.raises(OptionError, match="does not exist"):
        read_prices(tmp_path / "none.csv")
