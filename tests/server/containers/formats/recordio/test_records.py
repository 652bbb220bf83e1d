"""RecordIO-protobuf read and written, beside Google's protobuf."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.sparse import csr_matrix, random_array

from headrace.server.containers.contract import ClientError, Rows
from headrace.server.containers.formats.recordio import blocks, read_records, split_records, write_labels, write_rows
from headrace.server.containers.formats.recordio.records import _read_alike, _read_each
from headrace.server.containers.formats.soundness import Source

SOURCE = Source("part-0")
MATRIX = np.arange(24, dtype=np.float32).reshape(6, 4) / 7
LABELS = np.array([0, 1, 0, 1, 1, 0], np.float32)
MAGIC = 0xCED7230A


def framed(payload: bytes) -> bytes:
    return struct.pack("<II", MAGIC, len(payload)) + payload + b"\0" * (-len(payload) % 4)


def entry(number: int, tensor: bytes, key: bytes = b"values", kind: int = 2) -> bytes:
    value = bytes([kind << 3 | 2, len(tensor)]) + tensor
    pair = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
    return bytes([number << 3 | 2, len(pair)]) + pair


def packed(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


@pytest.mark.parametrize("kind", ["float32_tensor", "float64_tensor", "int32_tensor"])
@pytest.mark.parametrize("rows", [1, 3, 6])
def test_dense_records_of_the_sdk_are_read(dense: Any, kind: str, rows: int) -> None:
    matrix, labels = (
        (MATRIX, LABELS) if kind != "int32_tensor" else ((MATRIX * 70 - 50).astype(np.int32), LABELS.astype(int))
    )
    read = read_records(dense(matrix[:rows], labels[:rows], kind), SOURCE)
    np.testing.assert_array_equal(read.features, matrix[:rows])
    np.testing.assert_array_equal(read.labels, labels[:rows])
    assert read.features.dtype == read.labels.dtype == np.float32


def test_sparse_records_of_the_sdk_are_read(sparse: Any) -> None:
    matrix = csr_matrix(random_array((50, 40_000), density=0.00005, format="csr", dtype=np.float32, rng=1))
    assert (np.diff(matrix.indptr) == 0).any()
    read = read_records(sparse(matrix, np.arange(50)), SOURCE)
    assert read.features.shape == (50, 40_000)
    assert (read.features != matrix).nnz == 0
    np.testing.assert_array_equal(read.labels, np.arange(50))


def test_what_is_written_is_what_the_sdk_writes(dense: Any, sparse: Any) -> None:
    assert write_rows(Rows(MATRIX, LABELS)) == dense(MATRIX, LABELS)
    assert write_rows(Rows(MATRIX)) == dense(MATRIX)
    matrix = csr_matrix(MATRIX)
    assert write_rows(Rows(matrix, LABELS)) == sparse(matrix, LABELS)


def test_answers_are_labels_under_their_names(record_class: Any) -> None:
    written = write_labels({"score": np.array([[0.25, 0.75], [0.5, 0.5]]), "predicted_label": np.array([1, 0])})
    records = [record_class.FromString(frame[8:]) for frame in split_records(written)]
    assert [list(record.label["score"].float32_tensor.values) for record in records] == [[0.25, 0.75], [0.5, 0.5]]
    assert [list(record.label["predicted_label"].float32_tensor.values) for record in records] == [[1], [0]]
    assert not records[0].features


@settings(max_examples=40, deadline=None)
@given(
    arrays(
        np.float32, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(width=32, allow_infinity=False)
    ),
    st.data(),
)
def test_rows_survive_a_round_trip(matrix: Any, data: Any) -> None:
    labels = data.draw(
        arrays(np.float32, len(matrix), elements=st.floats(width=32, allow_infinity=False, allow_nan=False))
    )
    for features in (matrix, csr_matrix(np.nan_to_num(matrix))):
        read = read_records(write_rows(Rows(features, labels)), SOURCE)
        np.testing.assert_array_equal(read.labels, labels)
        if isinstance(features, np.ndarray):
            np.testing.assert_array_equal(read.features, features)
        else:
            np.testing.assert_array_equal(read.features.toarray(), features.toarray())


MANY = np.tile(MATRIX, (4, 1))
MANY_LABELS = np.tile(LABELS, 4)
WIDE = csr_matrix((MANY.ravel(), (np.repeat(np.arange(24), 4), np.tile([0, 3, 200, 70_000], 24))), shape=(24, 70_001))


@pytest.mark.parametrize("kind", ["float32_tensor", "float64_tensor", "int32_tensor"])
def test_dense_records_are_read_alike_as_one_by_one(dense: Any, kind: str) -> None:
    matrix = MANY if kind != "int32_tensor" else (MANY * 1000 - 900).astype(np.int32)
    body = dense(matrix, matrix[:, :2], kind)
    alike, each = _read_alike(body, SOURCE), _read_each(body, SOURCE)
    assert alike
    np.testing.assert_array_equal(alike.features, each.features)
    np.testing.assert_array_equal(alike.labels, each.labels)  # type: ignore[arg-type]


def test_sparse_records_are_read_alike_as_one_by_one(sparse: Any) -> None:
    matrix = WIDE.copy()
    matrix.data[::3] = 0
    matrix.eliminate_zeros()
    body = sparse(matrix, MANY_LABELS)
    alike, each = _read_alike(body, SOURCE), _read_each(body, SOURCE)
    assert alike
    assert len(set(np.diff(matrix.indptr))) > 1
    assert (alike.features != each.features).nnz == (alike.features != matrix).nnz == 0
    np.testing.assert_array_equal(alike.labels, MANY_LABELS)


def test_a_record_with_other_fields_is_read_among_those_alike(sparse: Any) -> None:
    matrix = WIDE.copy()
    matrix.data[8:12] = 0
    matrix.eliminate_zeros()
    assert _read_alike(sparse(matrix), SOURCE) is None
    assert (read_records(sparse(matrix), SOURCE).features != matrix).nnz == 0


@pytest.mark.parametrize("features", [MANY, WIDE], ids=["dense", "sparse"])
@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1000), st.binary(min_size=1, max_size=6), st.booleans())
def test_damaged_records_are_read_alike_as_one_by_one_or_not_at_all(
    features: Any, at: int, damage: bytes, cut: bool
) -> None:
    body = write_rows(Rows(features, MANY_LABELS))
    at %= len(body)
    body = body[:at] + (b"" if cut else damage + body[at + len(damage) :])
    try:
        alike = _read_alike(body, SOURCE)
    except (ClientError, StopIteration) as error:
        assert cut or isinstance(error, ClientError)
        return
    if alike:
        each = _read_each(body, SOURCE)
        for one, other in ((alike.features, each.features), (alike.labels, each.labels)):
            one, other = (part if isinstance(part, np.ndarray) else part.toarray() for part in (one, other))
            np.testing.assert_array_equal(one, other)


def test_what_protobuf_allows_is_read(record_class: Any) -> None:
    record = record_class(uid="a", metadata="{}", configuration="{}")
    record.features["values"].float32_tensor.values.extend([1, 2])
    record.features["values"].float32_tensor.shape.extend([2])
    record.features["other"].bytes.value.append(b"x")
    odd = entry(1, b"\x0d" + floats(1) + b"\x0d" + floats(2))  # values one by one
    parts = entry(1, packed(1, floats(1)) + packed(1, floats(2)))  # values in two pieces
    unknown = b"\x78\x96\x01" + b"\x7d" + bytes(4) + b"\x79" + bytes(8) + entry(1, packed(1, floats(1, 2)))
    body = b"".join(map(framed, [record.SerializeToString(), odd, parts, unknown]))
    for payload in (odd, parts, unknown):
        assert list(record_class.FromString(payload).features["values"].float32_tensor.values) == [1, 2]
    np.testing.assert_array_equal(read_records(body, SOURCE).features, [[1, 2]] * 4)


def test_dense_and_sparse_records_make_sparse_rows(dense: Any, sparse: Any) -> None:
    matrix = csr_matrix(np.array([[0, 2, 0, 0], [0, 0, 0, 5]], np.float32))
    read = read_records(sparse(matrix) + dense(MATRIX[:1]) + sparse(matrix), SOURCE)
    np.testing.assert_array_equal(read.features.toarray(), np.vstack([matrix.toarray(), MATRIX[:1], matrix.toarray()]))


def test_labels_of_several_values_keep_them(dense: Any) -> None:
    labels = np.arange(12, dtype=np.float32).reshape(6, 2)
    assert read_records(dense(MATRIX, labels), SOURCE).labels.tolist() == labels.tolist()  # type: ignore[union-attr]


GOOD = framed(entry(1, packed(1, floats(1, 2))))
LABELLED = framed(entry(1, packed(1, floats(1, 2))) + entry(2, packed(1, floats(1))))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "There are no records"),
        (GOOD + b"\x0a", "Row 2 of file 'part-0' is cut off in its RecordIO header"),
        (GOOD[:-4], "Row 1 of file 'part-0' is cut off: its RecordIO header claims"),
        (b"1,2,3,4,5,6", "Row 1 of file 'part-0' does not begin with RecordIO's magic number, but with 0x2C322C31"),
        (struct.pack("<II", MAGIC, 0xFFFFFFFF) + b"x", "claims 4294967295 bytes"),
        (struct.pack("<II", MAGIC, 2**29 - 1) + b"x", "is cut off"),
        (framed(b""), "Row 1 of file 'part-0' has no features named 'values'"),
        (framed(entry(1, packed(1, floats(1)), key=b"other")), "has no features named 'values'"),
        (framed(entry(1, b"", kind=9)), "are no tensor of float32, float64 or int32"),
        (framed(b"\x0b"), "has a field of wire type 3"),
        (framed(b"\x0a\x7f"), "longer than the record"),
        (framed(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "longer than the record"),
        (framed(b"\xff" * 12), "more than ten bytes"),
        (framed(b"\x0a"), "ends in the middle of a number"),
        (framed(entry(1, packed(1, b"abc"))), "values that are cut off"),
        (framed(entry(1, packed(1, b"\xff"), kind=7)), "ends in the middle of a number"),
        (framed(entry(1, packed(1, floats(1)) + packed(2, b"\x05"))), "has keys and no shape"),
        (
            framed(entry(1, packed(1, floats(1)) + packed(2, b"\x05") + packed(3, b"\x05"))),
            "has the key 5, and keys go from 0 to 4",
        ),
        (
            framed(entry(1, packed(1, floats(1)) + packed(2, b"\x05\x06") + packed(3, b"\x09"))),
            "has 2 keys and 1 values",
        ),
        (
            framed(entry(1, packed(1, floats(1)) + packed(2, b"\x85") + packed(3, b"\x09"))),
            "ends in the middle of a key",
        ),
        (
            framed(entry(1, packed(1, floats(1, 2)) + packed(2, b"\x05\x05") + packed(3, b"\x09"))),
            "has the key 5 twice",
        ),
        (
            framed(entry(1, packed(1, floats(1)) + packed(2, b"\xff" * 9 + b"\x01") + packed(3, b"\x09"))),
            "has the key 18446744073709551615",
        ),
        (framed(entry(1, packed(1, floats(1)) + packed(3, b"\x02"))), "has 1 values and a shape of 2"),
        (
            framed(entry(1, packed(1, floats(1)) + packed(2, b"\x01") + packed(3, b"\xff" * 9 + b"\x01"))),
            "at most 2147483647",
        ),
        (GOOD + framed(entry(1, packed(1, floats(1)))), "Row 2 of file 'part-0' has 1 features, and the first has 2"),
        (GOOD + LABELLED, "Row 2 of file 'part-0' has a label, and others have none"),
        (LABELLED + GOOD, "Row 2 of file 'part-0' has no label, and others have"),
        (framed(entry(1, packed(1, floats(1))) + entry(2, b"")), "has no label values"),
        (framed(entry(1, packed(1, floats(1))) + entry(2, packed(1, floats(float("nan"))))), "has no label"),
        (framed(entry(1, packed(1, floats(1, float("inf"))))), "infinite or too large"),
        (framed(entry(1, packed(1, struct.pack("<d", 1e300)), kind=3)), "infinite or too large"),
        (
            LABELLED * 9 + framed(entry(1, packed(1, floats(float("inf"), 1))) + entry(2, packed(1, floats(1)))),
            "Row 10 of",
        ),
    ],
)
def test_a_broken_record_is_named(body: bytes, problem: str) -> None:
    with pytest.raises(ClientError) as caught:
        read_records(body, SOURCE)
    assert problem in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 400), st.binary(max_size=6), st.booleans())
def test_damage_is_an_error_or_other_numbers_but_never_more(at: int, damage: bytes, cut: bool) -> None:
    body = write_rows(Rows(MATRIX, LABELS)) + write_rows(Rows(csr_matrix(MATRIX), LABELS))
    body = body[:at] + (b"" if cut else damage + body[at + len(damage) :])
    try:
        rows = read_records(body, SOURCE)
    except ClientError as error:
        assert "part-0" in str(error)
    else:
        assert rows.features.shape[0] <= len(body) // 8


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(8, 200))
def test_blocks_are_whole_frames_in_order(contents: list[bytes], size: int) -> None:
    body = b"".join(map(framed, contents))
    pieces = list(blocks(io.BytesIO(body), SOURCE, size))
    assert b"".join(pieces) == body
    assert [frame for piece in pieces for frame in split_records(piece)] == list(map(framed, contents))


def test_a_stream_that_ends_within_a_frame_is_refused() -> None:
    with pytest.raises(ClientError, match="cut off"):
        list(blocks(io.BytesIO(GOOD * 3 + GOOD[:-1]), SOURCE, 16))
    with pytest.raises(ClientError, match="magic"):
        list(blocks(io.BytesIO(GOOD * 3 + b"12345678"), SOURCE, 16))
