"""Numbers as people read them."""

from __future__ import annotations

import pytest

from headrace.ml.report import formats


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"), (0, "0"), (0.0, "0"), (1234567, "1,234,567"), (0.84931, "0.8493"), (0.84, "0.84"),
        (46203.52, "46,204"), (12.3456, "12.35"), (-0.5, "-0.5"), (3.1e-7, "3.1e-07"), (2.5e12, "2,500,000,000,000"),
        (1.23456e17, "1.23e+17"), (True, "True"), ("=cmd", "=cmd"),
    ],
)  # fmt: skip
def test_number(value: object, expected: str) -> None:
    assert formats.number(value) == expected


def test_units() -> None:
    assert formats.percent(0.1234) == "12.3\u00a0%"
    assert formats.money(-28.414, "EUR") == "−28.41\u00a0EUR"
    assert formats.money(12345.6, "USD") == "12,346\u00a0USD"
    assert [formats.duration(s) for s in (1.2e-5, 0.0123, 5.0, 600)] == ["12 µs", "12.3 ms", "5 s", "10.0 min"]
    assert [formats.size(n) for n in (12, 1500, 2_000_000, 3e9)] == ["12 bytes", "1.5 kB", "2 MB", "3 GB"]
    assert formats.date_text(86400) == "1970-01-02"
    assert formats.date_text(1e300) == formats.number(1e300)
    assert formats.moment("2026-11-22T14:09:28+01:00") == "2026-11-22 13:09 UTC"
    assert [formats.moment(t) for t in ("2026-11-22T14:09", "soon")] == ["2026-11-22 14:09", "soon"]
    assert formats.sentence("aBC") == "ABC"
    assert formats.words("roc_auc") == "roc auc"
    assert {formats.percent(None), formats.money(None, ""), formats.duration(None), formats.size(None)} == {"–"}
