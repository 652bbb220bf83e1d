import pytest

from headrace.ml.errors import SourceError
from headrace.ml.tables.encoding import decode

TEXT = "name,city\nZoë,Malmö\nБорис,Łódź\n"
WESTERN = "name,city\nZoë,Malmö\nPére,“x” – €\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_unicode_encodings(encoding: str):
    assert decode(TEXT.encode(encoding), "t.csv")[0] == TEXT


def test_western_bytes_late_in_a_large_file():
    text = "name,city\n" + "ann,paris\n" * 200_000 + WESTERN
    decoded, notes = decode(text.encode("cp1252"), "t.csv")
    assert decoded == text
    assert notes == ("decoded as Windows-1252, since byte 0xeb in line 200,003 is not UTF-8",)


def test_bytes_that_windows_has_not():
    decoded, notes = decode(b"a,b\n\x81\xe9,1\n", "t.csv")
    assert decoded == "a,b\n\x81é,1\n"
    assert "Latin-1" in notes[0]


@pytest.mark.parametrize("encoding", ["cp1251", "iso8859-5"])
def test_other_alphabets(encoding: str):
    text = "имя,город\n" + "Иван,Москва\nПётр,Казань\nАнна Петровна,Нижний Новгород\n" * 10
    assert decode(text.encode(encoding), "t.csv")[0] == text


def test_utf_8_with_one_damaged_byte_stays_utf_8():
    decoded, notes = decode("Ünïcödé,1\n".encode() + b"caf\xe9,2\n", "t.csv")
    assert decoded == "Ünïcödé,1\ncafé,2\n"
    assert "1 bytes that are not UTF-8" in notes[0]


def test_control_characters_of_a_wrong_declaration_become_punctuation():
    decoded, notes = decode("Château d\x92Estournel\n".encode(), "t.csv")
    assert decoded == "Château d’Estournel\n"
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"a,b\n1,\x002\n3,4\n", "'t.csv' has a NUL byte at position 7 and is not text"),
        (bytes(range(1, 256)) * 4, "'t.csv' is not text"),
        ("a,b\n".encode("utf-16") + b"\x00", "does not decode; save it as UTF-8"),
    ],
)
def test_what_is_not_text_is_refused(data: bytes, sentence: str):
    with pytest.raises(SourceError, match=sentence):
        decode(data, "t.csv")
