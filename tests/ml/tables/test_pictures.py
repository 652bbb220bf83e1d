"""Decoding of pictures: formats, modes, bounds and what is refused."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from headrace.ml.tables.columns import Column, ColumnKind, parse_column, parse_value
from headrace.ml.tables.detection import detect_column
from headrace.ml.tables.pictures import (
    UnreadableError,
    choose_shape,
    encoded,
    is_picture,
    pixels_of,
    problem_of,
)

GREY, COLOUR = (8, 8, 1), (8, 8, 3)


def encode(picture, form="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def plain(mode="RGB", colour=(200, 100, 50), size=(8, 8)):
    return Image.new(mode, size, colour)


def first(pixels, shape):
    return np.frombuffer(pixels, np.uint8).reshape(shape)[0, 0].tolist()


@pytest.mark.parametrize("form", ["PNG", "GIF", "BMP", "TIFF", "WEBP", "JPEG"])
def test_formats(form):
    data = encode(plain(), form)
    assert is_picture(data)
    np.testing.assert_allclose(first(pixels_of(data, COLOUR), COLOUR), [200, 100, 50], atol=6)


def test_modes():
    assert first(pixels_of(encode(plain("L", 77)), GREY), GREY) == [77]
    assert first(pixels_of(encode(plain("L", 77)), COLOUR), COLOUR) == [77, 77, 77]
    assert first(pixels_of(encode(plain().convert("P")), COLOUR), COLOUR)[0] > 150
    assert first(pixels_of(encode(plain("RGBA", (0, 0, 0, 0))), COLOUR), COLOUR) == [255, 255, 255]
    assert first(pixels_of(encode(plain("LA", (0, 0))), GREY), GREY) == [255]
    assert first(pixels_of(encode(plain("1", 1)), GREY), GREY) == [255]
    np.testing.assert_allclose(
        first(pixels_of(encode(plain().convert("CMYK"), "JPEG"), COLOUR), COLOUR), [200, 100, 50], atol=6
    )
    deep = Image.fromarray(np.full((8, 8), 256 * 99 + 3, np.uint16))
    assert first(pixels_of(encode(deep), GREY), GREY) == [99]


def test_pictures_are_turned_upright():
    picture = plain("L", 0, (16, 8))
    picture.paste(255, (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = np.frombuffer(pixels_of(encode(picture, exif=exif), (16, 8, 1)), np.uint8).reshape(16, 8)
    assert turned[:8].min() == 255
    assert turned[8:].max() == 0


def noise(side=64):
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (side, side, 3)).astype(np.uint8))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(side=60_000):
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no picture", "does not begin like"),
        (b"", "does not begin like"),
        (encode(noise(), "JPEG")[:2000], "truncated"),
        (b"\x89PNG\r\n\x1a\n" + b"junk" * 9, "damaged"),
        (bomb(), "pixels"),
        (bomb(9_000), "at most 50,000,000"),
        (encode(Image.new("F", (8, 8), 0.5), "TIFF"), "real numbers"),
    ],
)
def test_what_cannot_be_read_is_said(data, reason):
    with pytest.raises(UnreadableError, match=reason):
        pixels_of(data, GREY)
    assert reason in problem_of(data)


def test_sources_of_bytes(tmp_path):
    data = encode(plain())
    (tmp_path / "a.png").write_bytes(data)
    for source in (data, bytearray(data), {"bytes": data, "path": None}, tmp_path / "a.png"):
        assert encoded(source) == data
    for source in (None, "a.png", {"bytes": None}, Path(tmp_path / "absent.png"), 7):
        with pytest.raises(UnreadableError):
            encoded(source)


def test_shapes():
    assert choose_shape([encode(plain("L", 1, (28, 26)))] * 3) == (26, 28, 1)
    assert choose_shape([encode(plain(size=(28, 28)))] * 3) == (28, 28, 3)
    assert choose_shape([encode(plain("L", 1, (30, 20))), encode(plain("L", 1, (20, 30)))]) == (32, 32, 1)
    assert choose_shape([encode(plain(size=(200, 100)))]) == (64, 64, 3)
    assert choose_shape([b"no picture"]) == (32, 32, 3)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_column_of_pictures(wrapped):
    data = [encode(plain()), None, b"\x89PNG\r\n\x1a\nbroken"]
    raw = pl.Series("image", [{"bytes": d, "path": "x"} for d in data] if wrapped else data)
    column, notes = detect_column(raw)
    assert column == Column("image", ColumnKind.PICTURE, shape=(8, 8, 3))
    assert "pictures" in notes[0]
    values, unreadable = parse_column(raw, column)
    assert values.to_list() == [pixels_of(data[0], COLOUR), bytes(192), bytes(192)]
    assert unreadable.to_list() == [False, wrapped, True] if wrapped else [False, False, True]
    assert parse_value(raw[0], column) == values[0]


def test_bytes_of_something_else_are_no_pictures():
    column, notes = detect_column(pl.Series("blob", [b"abc", b"def"]))
    assert column.kind is ColumnKind.TEXT
    assert "bytes" in notes[0]
