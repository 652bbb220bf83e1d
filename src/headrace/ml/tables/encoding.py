"""Finding out in which encoding text was written, and turning it into UTF-8."""

from __future__ import annotations

import codecs
import re

from headrace.ml.errors import SourceError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TITLES = {"cp1252": "Windows-1252", "latin-1": "Latin-1"}
_LEAST_LETTERS = 20
_CONTROL = re.compile("[\x80-\x9f]")


def decode(data: bytes, source: str) -> tuple[str, tuple[str, ...]]:
    """Decode bytes of unknown encoding; also returns what had to be worked out, a sentence each.

    Raises `SourceError` for what is not text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            note = f"decoded as {encoding.upper()}, by its byte-order mark"
            return _checked(data[len(mark) :], encoding, source), (note,)
    if b"\0" in data:
        wide = _wide_encoding(data)
        if wide is None:
            raise SourceError(
                f"'{source}' has a NUL byte at position {data.index(0) + 1:,} and is not text; "
                "export it again as CSV, Parquet or Excel"
            )
        return _checked(data, wide, source), (f"decoded as {wide.upper()}, by its NUL bytes",)
    try:
        text, notes = data.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        return _decode_bytes(data, error.start, source)
    return _without_controls(text, notes) if not text.isascii() else (text, notes)


def _checked(data: bytes, encoding: str, source: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"'{source}' should be {encoding.upper()}, but byte {error.start + 1:,} does not decode; save it as UTF-8"
        ) from None


def _wide_encoding(data: bytes) -> str | None:
    """Recognise UTF-16 and UTF-32 without a mark: where the NULs of its Latin characters stand."""
    head = data[: 1 << 16]
    shares = [head[start::4].count(0) / max(1, len(head[start::4])) for start in range(4)]
    if min(shares[2:]) > 0.9 and shares[0] < 0.5:
        return "utf-32-le"
    if min(shares[:2]) > 0.9 and shares[3] < 0.5:
        return "utf-32-be"
    even, odd = (shares[0] + shares[2]) / 2, (shares[1] + shares[3]) / 2
    if odd > 0.5 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.5 and odd < 0.05 else None


def _decode_bytes(data: bytes, first_bad: int, source: str) -> tuple[str, tuple[str, ...]]:
    line = data.count(b"\n", 0, first_bad) + 1
    why = f"byte 0x{data[first_bad]:02x} in line {line:,} is not UTF-8"
    text = data.decode("utf-8", "surrogateescape")
    bad = len(re.findall("[\udc80-\udcff]", text))
    good = sum(map(len, re.findall("[^\x00-\x7f\udc80-\udcff]+", text)))
    if good > bad:  # UTF-8 with a few damaged places
        repaired = re.sub("[\udc80-\udcff]", lambda found: _western(ord(found[0]) - 0xDC00), text)
        return repaired, (f"{bad:,} bytes that are not UTF-8 were read as Windows-1252 ({why})",)
    if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", data[: 1 << 16]):
        raise SourceError(f"'{source}' is not text and not a table format known here ({why})")
    encoding = _narrow_encoding(data)
    note = f"decoded as {_TITLES.get(encoding, encoding)}, since {why}"
    return data.decode(encoding), (note,)


def _narrow_encoding(data: bytes) -> str:
    """Choose among encodings with the same ASCII part: Western, unless most letters are not ASCII."""
    lines = b"\n".join(re.findall(rb"[^\n]*[\x80-\xff][^\n]*", data)[:500])[: 1 << 16]
    letters = len(re.findall(rb"[\x80-\xff]", lines))
    if letters >= _LEAST_LETTERS and letters > 0.3 * len(lines):
        from charset_normalizer import from_bytes

        best = from_bytes(lines).best()
        if best is not None:
            try:
                data.decode(best.encoding)
            except UnicodeDecodeError:
                pass
            else:
                return best.encoding
    return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", data) else "cp1252"


def _western(byte: int) -> str:
    return bytes([byte]).decode("cp1252", "ignore") or chr(byte)


def _without_controls(text: str, notes: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Undo Windows-1252 text that was declared Latin-1 on its way: its quotes and dashes became control characters."""
    repaired, count = _CONTROL.subn(lambda found: _western(ord(found[0])), text)
    if not count:
        return text, notes
    return repaired, (*notes, f"{count:,} control characters (U+0080 to U+009F) were read as Windows-1252 punctuation")
