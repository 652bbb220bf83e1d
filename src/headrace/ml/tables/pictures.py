"""Pictures: encoded bytes brought to pixels of one size, within bounds, the same in training and in prediction."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_MAGIC = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
MOST_PIXELS = 50_000_000
"""A picture of more is not opened: a few kilobytes can claim billions."""
MOST_BYTES = 1 << 28
SMALL, USUAL = 32, 64
_SAMPLE = 200
_GREY = frozenset({"1", "L", "LA", "I", "I;16", "I;16B", "I;16L"})

Shape = tuple[int, ...]
"""Height, width and channels (1 or 3)."""


class UnreadableError(ValueError):
    """The bytes are no picture that can be decoded; the message says why in a few words."""


def is_picture(data: Any) -> bool:
    """Whether bytes begin like a picture."""
    return isinstance(data, bytes) and (data.startswith(_MAGIC) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"))


def choose_shape(pictures: Sequence[bytes]) -> Shape:
    """Choose the size that pictures are brought to: their own if small and all the same, else 32 or 64 a side.

    Grey where all of a sample are.
    """
    step = max(1, len(pictures) // _SAMPLE)
    sizes, grey = [], True
    for data in pictures[::step]:
        try:
            with _open(data) as picture:
                sizes.append((picture.height, picture.width))
                grey = grey and picture.mode in _GREY
        except UnreadableError:
            continue
    channels = 1 if grey and sizes else 3
    if len(set(sizes)) == 1 and min(sizes[0]) >= 8 and max(sizes[0]) <= SMALL:
        return (*sizes[0], channels)
    side = SMALL if not sizes or np.median([max(size) for size in sizes]) <= SMALL else USUAL
    return (side, side, channels)


def pixels_of(data: bytes, shape: Shape) -> bytes:
    """Decode a picture, turn it upright, and bring it to `shape`: its bytes, row by row, on white where transparent.

    Raises `UnreadableError`.
    """
    from PIL import Image, ImageOps

    height, width, channels = shape
    try:
        with _open(data) as picture:
            picture.draft(None, (2 * width, 2 * height))  # decodes a large JPEG at a fraction of its size
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            eight = _eight_bits(upright).convert("L" if channels == 1 else "RGB")
            if eight.size != (width, height):
                eight = eight.resize((width, height), Image.Resampling.BOX if _shrinks(eight, shape) else None)
            pixels: bytes = eight.tobytes()
            return pixels
    except UnreadableError:
        raise
    except MemoryError:
        raise UnreadableError("it is too large for the memory") from None
    except Exception as error:  # decoders of six formats raise a dozen unrelated classes
        raise UnreadableError(str(error).partition("\n")[0].rstrip(".") or type(error).__name__) from None


def pixels_or_none(data: Any, *, shape: Shape) -> bytes | None:
    """Return the pixels of encoded bytes, or None where there are none to be had."""
    try:
        return pixels_of(encoded(data), shape)
    except UnreadableError:
        return None


def problem_of(data: bytes) -> str | None:
    """Say why encoded bytes are no picture that can be decoded, or None."""
    try:
        pixels_of(data, (8, 8, 1))
    except UnreadableError as error:
        return str(error)
    return None


def encoded(data: Any) -> bytes:
    """Return the bytes of a picture given as such, in a dict with `bytes` (as some Parquet files have it) or as a path.

    Raises `UnreadableError`.
    """
    if isinstance(data, Mapping):
        data = data.get("bytes")
    if isinstance(data, bytearray | memoryview):
        return bytes(data)
    if isinstance(data, bytes):
        return data
    if not isinstance(data, Path):
        raise UnreadableError("it is neither bytes nor a path")
    try:
        if data.stat().st_size > MOST_BYTES:
            raise UnreadableError(f"the file has more than {MOST_BYTES:,} bytes")
        return data.read_bytes()
    except OSError as error:
        raise UnreadableError((error.strerror or str(error)).lower()) from None


def strip_of(pictures: Sequence[bytes], shape: Shape) -> bytes:
    """Draw pixels side by side, each at least 48 high, as one PNG file."""
    from PIL import Image

    height, width, channels = shape
    scale = max(1, round(48 / height))
    strip = Image.new("L" if channels == 1 else "RGB", (max(1, len(pictures)) * (width * scale + 2), height * scale))
    for place, pixels in enumerate(pictures):
        picture = Image.frombytes(strip.mode, (width, height), pixels).resize((width * scale, height * scale))
        strip.paste(picture, (place * (width * scale + 2), 0))
    stream = io.BytesIO()
    strip.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _shrinks(picture: Any, shape: Shape) -> bool:
    return bool(picture.height >= shape[0] and picture.width >= shape[1])


def _eight_bits(picture: Any) -> Any:
    """Bring 16-bit grey to 8 bits, and put what is transparent on white."""
    from PIL import Image

    if picture.mode.startswith("I"):
        values = np.asarray(picture).astype(np.int64)
        return Image.fromarray((np.clip(values, 0, 65535) >> 8).astype(np.uint8))
    if picture.mode == "F":
        raise UnreadableError("its pixels are real numbers, and only 8 and 16 bits are read")
    if "A" in picture.mode or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture


def _open(data: bytes) -> Any:
    """Open the bytes without decoding them; raises `UnreadableError`."""
    from PIL import Image

    if not is_picture(data):
        raise UnreadableError("it does not begin like a PNG, JPEG, GIF, BMP, WebP or TIFF picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Exception as error:
        reason = "it claims more pixels than any picture" if "bomb" in str(error) else "it is damaged"
        raise UnreadableError(reason) from None
    if picture.width * picture.height > MOST_PIXELS:
        size = f"{picture.width:,} × {picture.height:,} pixels"
        raise UnreadableError(f"it has {size}, and at most {MOST_PIXELS:,} are read")
    return picture
