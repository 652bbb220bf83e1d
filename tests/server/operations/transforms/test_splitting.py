"""Records and batches of inputs."""

import gzip
import struct
import tracemalloc
from collections.abc import Iterator
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as some

from headrace.server.containers.contract import ClientError
from headrace.server.containers.formats.recordio.frames import frame
from headrace.server.operations.transforms.splitting import (
    MEBIBYTE,
    RECORDIO_MAGIC,
    Batch,
    Batching,
    PayloadTooLarge,
    Record,
    records,
    stream,
)


def blocks(content: bytes, size: int = 7) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def sent(content: bytes, split_type: str, most: int = 1000) -> list[bytes]:
    return [record.sent for record in records(stream(blocks(content)), split_type, most)]


def tfrecord(payload: bytes) -> bytes:
    return struct.pack("<QI", len(payload), 1) + payload + b"crc!"


@given(some.binary(max_size=200), some.integers(1, 50))
def test_a_stream_is_its_blocks(content: bytes, size: int) -> None:
    assert stream(blocks(content, size)).read() == content
    assert stream(blocks(gzip.compress(content), size), compressed=True).read() == content


@given(
    some.lists(some.text("ab, ", min_size=1, max_size=9)), some.sampled_from(["\n", "\r\n", "\n\n"]), some.booleans()
)
def test_lines(lines: list[str], end: str, ended: bool) -> None:
    content = end.join(lines) + (end if ended else "")
    assert sent(content.encode(), "Line") == [line.encode() for line in lines]


def test_lines_keep_what_is_no_line_end() -> None:
    assert sent("é\x0b1\u2028\x1c\n\n2\r3".encode(), "Line") == ["é\x0b1\u2028\x1c".encode(), b"2\r3"]


def test_an_object_that_is_not_split() -> None:
    assert sent(b"1\n2\n", "None") == [b"1\n2\n"]
    assert sent(b"", "None") == []
    assert sent(b"x" * 1000, "None") == [b"x" * 1000]
    with pytest.raises(PayloadTooLarge, match="more than the 1000 bytes"):
        sent(b"x" * 1001, "None")


@given(some.lists(some.binary(max_size=9)))
def test_binary_records_are_sent_without_their_frames_and_kept_with_them(payloads: list[bytes]) -> None:
    for split_type, framed in (("RecordIO", frame), ("TFRecord", tfrecord)):
        frames = [framed(payload) for payload in payloads]
        found = list(records(stream(blocks(b"".join(frames))), split_type, 1000))
        assert [record.sent for record in found] == payloads
        assert [record.raw for record in found] == frames


def test_a_recordio_record_in_parts_is_one() -> None:
    magic = struct.pack("<I", RECORDIO_MAGIC)
    parts = [
        magic + struct.pack("<I", part << 29 | 4) + text for part, text in ((1, b"aaaa"), (2, b"bbbb"), (3, b"cccc"))
    ]
    content = b"".join(parts) + frame(b"next")
    assert sent(content, "RecordIO") == [b"aaaa" + magic + b"bbbb" + magic + b"cccc", b"next"]
    with pytest.raises(ClientError, match="several parts"):
        sent(parts[0], "RecordIO")


@pytest.mark.parametrize(
    ("content", "split_type", "sentence"),
    [
        (b"no frame at all", "RecordIO", "magic number"),
        (frame(b"abcd")[:6], "RecordIO", "cut off"),
        (frame(b"abcd")[:-1], "RecordIO", "cut off"),
        (frame(b"a" * 1001), "RecordIO", "more than the 1000 bytes"),
        (tfrecord(b"abcd")[:5], "TFRecord", "cut off"),
        (tfrecord(b"abcd")[:-1], "TFRecord", "cut off"),
        (struct.pack("<QI", 1 << 60, 0), "TFRecord", "claims"),
        (b"x" * 1001 + b"\n", "Line", "more than the 1000 bytes"),
    ],
)
def test_what_is_not_of_the_format(content: bytes, split_type: str, sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence):
        sent(content, split_type)


def test_what_is_no_gzip() -> None:
    for content in (
        b"1,2\n3,4\n",
        gzip.compress(b"1,2\n" * 100)[:-9],
        gzip.compress(b"12" * 99)[:20] + b"xxxxxxxxxxxxxx",
    ):
        with pytest.raises(ClientError, match="gzip"):
            list(records(stream(blocks(content), compressed=True), "Line", 1000))


def of(batching: Batching, *lines: bytes) -> list[Batch]:
    return list(batching.of(Record(line, line) for line in lines))


def test_batches_hold_as_many_records_as_fit() -> None:
    batching = Batching(5, separator=b"\n")
    assert [each.body for each in of(batching, b"12", b"34", b"5", b"67890", b"1", b"2", b"3", b"4")] == [
        b"12\n34", b"5", b"67890", b"1\n2\n3", b"4",
    ]  # fmt: skip
    assert [each.count for each in of(batching, b"12", b"34", b"5")] == [2, 1]
    assert of(batching) == []


def test_single_records_and_whole_objects() -> None:
    assert [each.body for each in of(Batching(5, single=True, separator=b"\n"), b"1", b"2")] == [b"1", b"2"]
    assert [each.body for each in of(Batching(5, whole=True, separator=b"\n"), b"12", b"34")] == [b"12\n34"]
    with pytest.raises(PayloadTooLarge):
        of(Batching(5, whole=True, separator=b"\n"), b"12", b"345")
    for batching in (Batching(5, separator=b"\n"), Batching(5, single=True)):
        with pytest.raises(PayloadTooLarge):
            of(batching, b"123456")


def test_records_to_be_joined_are_kept_and_count() -> None:
    joined = Batching(10, separator=b"\n", joined=True)
    found = list(joined.of(Record(b"1234" * 2, b"1") for _ in range(3)))
    assert [(each.body, each.records) for each in found] == [(b"1", (b"12341234",))] * 3
    assert of(Batching(10, separator=b"\n"), b"1")[0].records == ()


def test_no_limit_still_makes_requests_of_six_mebibytes() -> None:
    line = b"x" * (MEBIBYTE - 1)
    found = of(Batching(0, separator=b"\n"), *[line] * 8, b"y" * (7 * MEBIBYTE))
    assert [each.count for each in found] == [6, 2, 1]


def test_frames_go_along_where_several_records_are_sent() -> None:
    content = frame(b"abc") + frame(b"defgh")
    found = list(records(BytesIO(content), "RecordIO", 1000))
    assert [each.body for each in Batching(1000, framed=True).of(found)] == [content]
    assert [each.body for each in Batching(1000, framed=True, single=True).of(found)] == [b"abc", b"defgh"]


def test_a_large_input_is_never_held_in_memory() -> None:
    block = (b"1.25," * 280 + b"\n") * 100
    tracemalloc.start()
    file = stream(iter([block] * 300))
    total = sum(each.count for each in Batching(MEBIBYTE, separator=b"\n").of(records(file, "Line", MEBIBYTE)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 30_000
    assert peak < 8 * MEBIBYTE < 300 * len(block) / 4
