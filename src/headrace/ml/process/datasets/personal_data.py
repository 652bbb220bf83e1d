"""Personal data and secrets, found in the values of columns.

The patterns run in polars' engine (Rust `regex`), whose time grows linearly with the text, whatever the pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from headrace.ml.process.datasets.valid_numbers import is_card_number, is_iban, is_ip_address, is_phone_length
from headrace.ml.tables.columns import Column, ColumnKind
from headrace.ml.tables.native_values import texts_of

IDENTIFYING = frozenset({"email", "phone", "credit card", "iban", "social security number", "passport", "secret"})
"""Kinds that name a person (or open a door) and are never learnt from; an IP address and data inside texts may be."""

_MOST_CELLS = 2_000_000
_LARGEST_SAMPLE = 2_000
_LONGEST_VALUE = 2_000
_LONG_NUMBER = r"^\+?\(?\d[\d ()-]{6,}(?:\.0)?$"


@dataclass(frozen=True)
class Pattern:
    """How one kind of personal data looks: over the whole value, and inside a text (None: not looked for there).

    `least` is the share of the values from which on the column counts as personal; `check` confirms a match;
    `named` are words of which the column's name must hold one, for patterns that much else looks like, too.
    """

    kind: str
    whole: str
    inside: str | None = None
    least: float = 0.01
    check: Callable[[str], bool] | None = None
    named: tuple[str, ...] = ()


@dataclass(frozen=True)
class Personal:
    """The kind of personal data found in a column, and the share of its sampled values that have it."""

    kind: str
    share: float
    sampled: int


_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_EMAIL = r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}"
_SSN = (
    r"(?:00[1-9]|0[1-9]\d|[1-5]\d\d|6[0-57-9]\d|66[0-57-9]|[78]\d\d)-"
    r"(?:0[1-9]|[1-9]\d)-(?:000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})"
)
_PHONE = (
    r"^(?:\+\d[\d ().-]{6,18}\d|(?:1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}"
    r"|\(?0[1-9]\d{0,3}\)?[ ./-]\d{2,4}(?:[ ./-]?\d{2,4}){1,3})(?: ?x\d{1,5})?$"
)
_CARD = r"\d(?:[ -]?\d){12,18}"
_NAMES = (
    "firstname",
    "lastname",
    "surname",
    "fullname",
    "givenname",
    "familyname",
    "customername",
    "clientname",
    "patientname",
)
_ADDRESSES = (
    "street",
    "homeaddress",
    "postaladdress",
    "mailingaddress",
    "billingaddress",
    "shippingaddress",
    "addressline",
)
_KEYS_AND_TOKENS = "|".join(
    (
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # AWS access key
        r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
        r"\bgh[pousr]_[A-Za-z0-9]{36}",  # GitHub
        r"\bxox[abprs]-[0-9A-Za-z-]{10,}",  # Slack
        r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.",  # JSON web token
        r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}",  # bcrypt
        r"\bAIza[0-9A-Za-z_-]{35}",  # Google
        r"\bsk_live_[0-9A-Za-z]{16,}",  # Stripe
    )
)
PATTERNS = (
    Pattern("secret", _KEYS_AND_TOKENS, least=0.0),
    Pattern("secret", r"^\S{4,128}$", least=0.5, named=("password", "passwd", "pwd", "secret", "apikey", "token")),
    Pattern("email", f"^{_EMAIL}$", rf"\b{_EMAIL}\b"),
    Pattern(
        "iban",
        r"^[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}$",
        r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",
        check=is_iban,
    ),
    Pattern("credit card", f"^{_CARD}$", rf"(?:^|[^\w.]){_CARD}\b", least=0.5, check=is_card_number),
    Pattern("social security number", f"^{_SSN}$", rf"\b{_SSN}\b", least=0.05),
    Pattern("ip address", rf"^{_OCTET}(?:\.{_OCTET}){{3}}$", rf"\b{_OCTET}(?:\.{_OCTET}){{3}}\b", least=0.05),
    Pattern("ip address", r"^[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}$", least=0.05, check=is_ip_address),
    Pattern("phone", _PHONE, r"\+\d{1,3}[ .-]?(?:\(?\d{2,4}\)?[ .-]?){2,4}\d\b", least=0.2, check=is_phone_length),
    Pattern("phone", r"^[\d ().+-]{7,20}$", least=0.2, named=("phone", "telefon", "mobile", "cellular", "fax")),
    Pattern("name", r"(?:^|, )(?:Mr|Mrs|Miss|Ms|Dr)\.? \p{Lu}", least=0.3),
    Pattern("name", r"^\p{L}[\p{L}'. -]+$", least=0.5, named=_NAMES),
    Pattern("address", r"\d+[ ,].*\p{L}|\p{L}.*[ ,]\d+", least=0.5, named=_ADDRESSES),
    Pattern("passport", r"^[A-Z]{0,2}\d{6,9}[A-Z]?$", least=0.3, named=("passport",)),
)


def find_personal_data(frame: pl.DataFrame, columns: Sequence[Column]) -> dict[str, Personal]:
    """Look for personal data and secrets in a sample of the raw values; returns column → what was found.

    Numbers are looked at where they are long enough for a telephone or card number; dates and pictures are not.
    """
    rows = max(50, min(_LARGEST_SAMPLE, _MOST_CELLS // max(len(columns), 1)))
    kinds = {column.name: column.kind for column in columns}
    unread = (ColumnKind.DATE, ColumnKind.PICTURE)
    sample = _sample(frame.select([name for name, kind in kinds.items() if kind not in unread]), rows)
    numbers = [name for name in sample.columns if kinds[name] is ColumnKind.NUMBER]
    long = sample.select(pl.col(numbers).str.contains(_LONG_NUMBER).any()).row(0) if numbers else ()
    sample = sample.drop([name for name, found in zip(numbers, long, strict=True) if not found])
    given = dict(zip(sample.columns, sample.select(pl.all().count()).row(0) if sample.width else (), strict=True))
    found: dict[str, Personal] = {}
    for pattern in PATTERNS:
        _search(pattern, pattern.whole, sample, given, found, "")
    texts = sample.select([name for name in sample.columns if kinds[name] in (ColumnKind.TEXT, ColumnKind.CATEGORY)])
    for pattern in PATTERNS:
        if pattern.inside:
            _search(pattern, pattern.inside, texts, given, found, " in text")
    return found


def _sample(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Take evenly spread rows as stripped text, long values cut, blanks as null."""
    if frame.height > rows:
        frame = frame[np.linspace(0, frame.height - 1, rows).astype(np.int64)]
    texts = pl.DataFrame([texts_of(column) for column in frame.iter_columns()])
    text = texts.select(pl.all().str.slice(0, _LONGEST_VALUE).str.strip_chars())
    return text.select(pl.when(pl.all() != "").then(pl.all()))


def _search(
    pattern: Pattern,
    expression: str,
    sample: pl.DataFrame,
    given: Mapping[str, int],
    found: dict[str, Personal],
    suffix: str,
) -> None:
    names = [name for name in sample.columns if name not in found and given[name] and _name_fits(name, pattern.named)]
    if not names:
        return
    hits = dict(zip(names, sample.select(pl.col(names).str.contains(expression).sum()).row(0), strict=True))
    least = 0.01 if suffix else pattern.least
    for name, hit in hits.items():
        if hit and pattern.check:
            matches = sample[name].drop_nulls().str.extract(f"({expression})", 1).drop_nulls().to_list()
            hit = sum(map(pattern.check, matches))
        if hit and hit / given[name] >= least:
            found[name] = Personal(pattern.kind + suffix, hit / given[name], given[name])


def _name_fits(name: str, words: tuple[str, ...]) -> bool:
    folded = name.casefold().replace("_", "").replace(" ", "").replace("-", "")
    return not words or any(word in folded for word in words)
