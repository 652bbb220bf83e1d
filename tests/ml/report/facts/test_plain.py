"""Plain JSON data out of anything a record holds."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.report.facts.model import thinned
from headrace.ml.report.facts.plain import LONGEST_TEXT, pairs, part, plain


@dataclass(frozen=True)
class Pair:
    left: object
    right: object


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (np.float32("nan"), None),
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1.0, np.inf]]), [[1.0, None]]),
        (Task.BINARY, "binary"),
        ({Task.BINARY: (1, 2)}, {"binary": [1, 2]}),
        (Pair(1, {"a": float("nan")}), {"left": 1, "right": {"a": None}}),
        (frozenset({"b", "a"}), ["a", "b"]),
        (datetime.date(2026, 11, 22), "2026-11-22"),
        (Path("a/b"), "a/b"),
        ("bad \ud800 half", "bad ? half"),
        (True, True),
        (None, None),
    ],
)
def test_plain(value: object, expected: object) -> None:
    found = plain(value)
    assert found == expected
    assert json.loads(json.dumps(found, allow_nan=False)) == expected


def test_long_text_is_cut() -> None:
    assert len(plain("x" * 100_000)) == LONGEST_TEXT + 1


def test_pairs_of_mappings_and_sequences() -> None:
    assert pairs({"a": 1}, "k", "v") == pairs([("a", 1)], "k", "v") == [{"k": "a", "v": 1}]
    assert pairs(None, "k", "v") == []


def test_part_reads_records_and_mappings() -> None:
    assert part(Pair(1, None), "left") == part({"left": 1}, "left") == 1
    assert part(Pair(1, None), "right", 5) == part(None, "right", 5) == 5


def test_thinned_keeps_both_ends() -> None:
    assert list(thinned(range(1000), 5)) == [0, 250, 500, 749, 999]
    assert thinned([1, 2], 5) == [1, 2]
