"""Free text as words: the same in a whole column and in one value."""

from __future__ import annotations

import re

import polars as pl

_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Kana and Chinese characters: written without spaces, so that each is a word of its own."""
_WORD = re.compile(rf"[{_SINGLE}]|(?:(?![{_SINGLE}])\w)+(?:['\u2019](?:(?![{_SINGLE}])\w)+)*|[^\w\s]")
_DIGIT = re.compile(r"\d")
_PLAIN_WORD = r"[a-z0-9_]+(?:'[a-z0-9_]+)*|[^a-z0-9_\s\x1c-\x1f]"


def words_of(text: str) -> str:
    """Return the words and marks of a text in lower case, single spaces between; every digit becomes 0.

    >>> words_of("FREE entry!! Call 0800-555, it's ok")
    "free entry ! ! call 0000 - 000 , it's ok"
    """
    return " ".join(_WORD.findall(_DIGIT.sub("0", text.lower())))


def words_of_all(texts: pl.Series) -> pl.Series:
    """Return `words_of` of each text; missing ones stay missing."""
    plain = texts.str.to_lowercase().str.replace_all("[0-9]", "0").str.extract_all(_PLAIN_WORD).list.join(" ")
    foreign = texts.str.len_bytes() != texts.str.len_chars()
    if not foreign.any():
        return plain
    places = foreign.fill_null(False).arg_true()
    return plain.scatter(places, [words_of(text) for text in texts.gather(places)])
