"""Requests in each format: the same rows, and the same refusals."""

import io
import json
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.sparse import csr_matrix

from headrace.server.containers.contract import ClientError, Rows, UnsupportedContentType
from headrace.server.containers.formats import read_rows
from headrace.server.containers.formats.recordio import write_rows
from headrace.server.containers.formats.requests import REQUEST_TYPES

MATRIX = np.array([[1.5, -2, 0.25], [0, 3e-5, 7]], np.float32)
JSON, LINES = "application/json", "application/jsonlines"


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def parquet(frame: polars.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


def bodies(matrix: Any) -> dict[str, bytes]:
    rows = [[None if value != value else value for value in row] for row in matrix.tolist()]
    return {
        "text/csv": "\n".join(",".join("" if v is None else repr(v) for v in row) for row in rows).encode(),
        "text/csv;label_size=0": "\r\n".join(
            ",".join("nan" if v is None else repr(v) for v in row) for row in rows
        ).encode(),
        JSON: json.dumps({"instances": [{"features": row} for row in rows]}).encode(),
        LINES: "\n".join(json.dumps({"data": {"features": {"values": row}}}) for row in rows).encode(),
        "text/x-libsvm": "\n".join(
            "0 " + " ".join(f"{i}:{v!r}" for i, v in enumerate(r)) for r in matrix.tolist()
        ).encode(),
        "text/libsvm": "\n".join(" ".join(f"{i}:{v!r}" for i, v in enumerate(r)) for r in matrix.tolist()).encode(),
        "application/x-recordio-protobuf": write_rows(Rows(matrix)),
        "application/x-npy": npy(matrix),
        "application/x-parquet": parquet(polars.DataFrame(matrix)),
    }


@pytest.mark.parametrize("rows", [1, 2, 3000])
def test_every_format_says_the_same(rows: int) -> None:
    matrix = np.tile(MATRIX, (rows, 1))[:rows]
    for content_type, body in bodies(matrix).items():
        read = read_rows(body, content_type, 3)
        features = read.features if isinstance(read.features, np.ndarray) else read.features.toarray()
        np.testing.assert_array_equal(features, matrix, err_msg=content_type)
        assert features.dtype == np.float32
        assert features.flags.writeable
        assert features.flags.c_contiguous
        assert read.labels is None


@settings(max_examples=30, deadline=None)
@given(
    arrays(
        np.float32, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.floats(width=32, allow_infinity=False)
    )
)
def test_any_matrix_is_read(matrix: Any) -> None:
    for content_type, body in bodies(matrix).items():
        if matrix.shape[1] == 1 and content_type.startswith("text/csv") and np.isnan(matrix).any():
            continue
        read = read_rows(body, content_type, matrix.shape[1]).features
        features = read if isinstance(read, np.ndarray) else read.toarray()
        np.testing.assert_allclose(features, matrix, rtol=1e-6, atol=0, err_msg=content_type)


def test_sparse_instances_are_sparse_rows() -> None:
    instances = [{"data": {"features": {"keys": [26, 182], "shape": [2000], "values": [1, 4]}}}]
    expected = csr_matrix(([1, 4], ([0, 0], [26, 182])), shape=(1, 2000)).toarray()
    body = json.dumps({"instances": instances}).encode()
    np.testing.assert_array_equal(read_rows(body, JSON, 2000).features.toarray(), expected)
    lines = json.dumps(instances[0]).encode() + b"\n"
    np.testing.assert_array_equal(read_rows(lines, LINES, 2000).features.toarray(), expected)
    empty = {"features": {"keys": [], "shape": [3], "values": []}}
    mixed = json.dumps({"instances": [empty, [1, 2, 3], {"features": {"keys": [2], "shape": [3], "values": [None]}}]})
    np.testing.assert_array_equal(
        read_rows(mixed.encode(), JSON, 3).features.toarray(), [[0, 0, 0], [1, 2, 3], [0, 0, np.nan]]
    )


def test_a_record_without_its_frame_is_a_row() -> None:
    """A batch transform of single records takes the frame off."""
    framed = write_rows(Rows(MATRIX[:1]))
    payload = framed[8 : 8 + int.from_bytes(framed[4:8], "little")]
    np.testing.assert_array_equal(read_rows(payload, "application/x-recordio-protobuf", 3).features, MATRIX[:1])


def test_labels_in_csv_are_told_by_the_content_type() -> None:
    rows = read_rows(b"1,2,3\n0,4,5\n", "text/csv;label_size=1", 2)
    assert rows.features.tolist() == [[2, 3], [4, 5]]
    assert rows.labels is not None
    assert rows.labels.tolist() == [1, 0]


@pytest.mark.parametrize("content_type", REQUEST_TYPES)
def test_an_empty_body_is_refused(content_type: str) -> None:
    with pytest.raises(ClientError, match="empty"):
        read_rows(b"", content_type, 3)


@pytest.mark.parametrize(("content_type", "body"), bodies(MATRIX).items())
def test_another_number_of_features_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(
        ClientError, match="Feature size of the request 3 is not consistent with feature size of trained model 2"
    ):
        read_rows(body, content_type, 2)
    if "libsvm" not in content_type:
        with pytest.raises(ClientError, match="Feature size of the request 3"):
            read_rows(body, content_type, 4)


@pytest.mark.parametrize("content_type", ["", "image/png", "application/octet-stream", "*/*", "text/csvx"])
def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedContentType, match="Supported content-type is text/csv, "):
        read_rows(b"1,2,3", content_type, 3)
    with pytest.raises(UnsupportedContentType):
        read_rows(b"1,2,3", "text/csv", 3, accepted=(JSON,))


def header(text: str, version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    ("content_type", "body", "sentence"),
    [
        ("text/csv", b"a,b,c", "Non-numeric value 'a' found in the header line 'a,b,c' of the request."),
        ("text/csv", b"1,2,3\n4,5", "Line 2 of the request has 2 columns"),
        ("text/csv", b"1,2,1e999", "Row 1 of the request holds a number that is infinite"),
        ("text/csv", b"1,2,-inf", "Row 1 of the request holds a number that is infinite"),
        ("text/csv", b"1,2,3_0", "Non-numeric value '3_0'"),
        ("text/csv", b"\xff\xfe1\x00,\x002\x00", "Non-numeric value"),
        ("text/csv;label_size=x", b"1,2,3", "label_size that is no whole number"),
        ("text/csv;label_size=3", b"1,2,3", "leaves no feature"),
        (JSON, b"{", "Unable to parse the JSON of the request: Expecting property name"),
        (JSON, b"\xff", "Unable to parse the JSON of the request"),
        (JSON, b"[" * 200_000, "The JSON of the request is nested too deeply."),
        (JSON, b'{"instances":' + b"[" * 900 + b"]" * 900 + b"}", "Row 1 of the request has a list among its features"),
        (JSON, b"[[1,2,3]]", 'A JSON request needs a list of "instances"'),
        (JSON, b'{"instances":{"features":[1]}}', 'A JSON request needs a list of "instances"'),
        (JSON, b'{"instances":[]}', "There are no rows in the request."),
        (JSON, b'{"instances":[{"features":[null,"x",3]}]}', 'has the value "x" among its features'),
        (JSON, b'{"instances":[{"features":[]}]}', "Row 1 of the request has no features"),
        (JSON, b'{"instances":[5]}', 'Row 1 of the request has no "features"'),
        (JSON, b'{"instances":[{"data":[1,2,3]}]}', 'Row 1 of the request has no "features"'),
        (JSON, b'{"instances":[{"features":[1,2,3]},{"features":[1,"2",3]}]}', 'Row 2 of the request has the value "2" among'),
        (JSON, b'{"instances":[{"features":[1,true,3]}]}', "has the value true among its features"),
        (JSON, b'{"instances":[{"features":[1,2,[3]]}]}', "has a list among its features"),
        (JSON, b'{"instances":[{"features":[1,2,3]},{"features":[1,2]}]}', "Row 2 of the request has 2 features, and the first has 3"),
        (JSON, b'{"instances":[{"features":[1,2,1e999]}]}', "infinite or too large"),
        (JSON, b'{"instances":[{"features":[1,2,1' + b"0" * 400 + b"]}]}", "infinite or too large"),
        (JSON, b'{"instances":[{"features":[1,2,1' + b"0" * 5000 + b"]}]}", "endless number"),
        (JSON, b'{"instances":[{"features":[1,2,-Infinity]}]}', "infinite or too large"),
        (JSON, b'{"instances":[{"features":{"keys":[3],"shape":[3],"values":[1]}}]}', 'has "keys" that are no list of whole numbers from 0 to 2'),
        (JSON, b'{"instances":[{"features":{"keys":[-1],"shape":[3],"values":[1]}}]}', 'has "keys"'),
        (JSON, b'{"instances":[{"features":{"keys":[1.5],"shape":[3],"values":[1]}}]}', 'has "keys"'),
        (JSON, b'{"instances":[{"features":{"keys":[1,1],"shape":[3],"values":[1,2]}}]}', "has the key 1 twice"),
        (JSON, b'{"instances":[{"features":{"keys":[1],"shape":[3],"values":[1,2]}}]}', 'has "values" that are no list of one number'),
        (JSON, b'{"instances":[{"features":{"keys":[1],"shape":[3],"values":["x"]}}]}', 'has the value "x"'),
        (JSON, b'{"instances":[{"features":{"keys":[1],"values":[1]}}]}', 'no "shape"'),
        (JSON, b'{"instances":[{"features":{"keys":[1],"shape":[3,3],"values":[1]}}]}', 'no "shape" of one whole number'),
        (JSON, b'{"instances":[{"features":{"keys":[1],"shape":[99999999999],"values":[1]}}]}', 'no "shape" of one whole number'),
        (LINES, b"\n \n", "There are no rows in the request."),
        (LINES, b'{"features":[1,2,3]}\n{"features":', "Unable to parse the JSON of line 2 of the request"),
        ("application/x-npy", b"1,2,3", "The request does not begin as an npy array does."),
        ("application/x-npy", b"\x93NUMPY\x09\x00", "does not begin as an npy array does"),
        ("application/x-npy", header("{"), "damaged header"),
        ("application/x-npy", header("[" * 5000), "damaged header"),
        ("application/x-npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}", "damaged header"),
        ("application/x-npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999)}"), "needs 39999999599600000004"),
        ("application/x-npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3)}"), "damaged header"),
        ("application/x-npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}"), "has the shape (0, 3)"),
        ("application/x-npy", header("{'descr': '<f3', 'fortran_order': False, 'shape': (1, 3)}"), "has the type <f3, which is not one of numbers"),
        ("application/x-npy", npy(np.zeros((1, 1, 3))), "has the shape (1, 1, 3)"),
        ("application/x-npy", npy(np.array([["a", "b", "c"]])), "has the type <U1"),
        ("application/x-npy", npy(np.array([[None, 1, 2]]), allow_pickle=True), "has the type |O"),
        ("application/x-npy", npy(np.zeros(3, "f4,i4")), "has the type of records"),
        ("application/x-npy", npy(MATRIX)[:-1], "has 23 bytes of numbers, and its shape (2, 3) of <f4 needs 24"),
        ("application/x-npy", npy(MATRIX)[:20], "damaged header"),
        ("application/x-npy", npy(np.array([[1, 2, 1e300]])), "infinite or too large"),
        ("application/x-parquet", b"PAR1 nonsense PAR1", "Failed to load parquet data of the request"),
        ("application/x-parquet", parquet(polars.DataFrame({"a": ["x"]})), "Column 'a' of the request is of type String"),
        ("application/x-parquet", parquet(polars.DataFrame({"a": []}, schema={"a": polars.Float32})), "There are no rows of features"),
        ("application/x-parquet", parquet(polars.DataFrame({"a": [1e300], "b": [1.0], "c": [1.0]})), "infinite or too large"),
        ("application/x-parquet", parquet(polars.select(a=polars.repeat(1, 40_000_000, dtype=polars.Int8))), "unfolds into 40000000 rows"),
    ],
)  # fmt: skip
def test_what_is_no_row_is_named(content_type: str, body: bytes, sentence: str) -> None:
    with pytest.raises(ClientError) as caught:
        read_rows(body, content_type, 3)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("depth", [900, 950, 990, 1000, 5000])
def test_a_nested_bomb_is_refused_at_any_depth(depth: int) -> None:
    body = b'{"instances":[{"features":[' + b"[" * depth + b"]" * depth + b"]}]}"
    with pytest.raises(ClientError, match=r"has a list among its features|nested too deeply"):
        read_rows(body, JSON, 3)


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_any_kind_and_order_is_read(order: Any) -> None:
    for kind in ("f8", ">f4", "i1", "u2", "?", "f2"):
        array = np.asarray([[1, 0, 1], [0, 1, 1]], dtype=kind, order=order)
        np.testing.assert_array_equal(read_rows(npy(array), "application/x-npy", 3).features, array.astype(np.float32))
    assert read_rows(npy(np.arange(3)), "application/x-npy", 3).features.tolist() == [[0, 1, 2]]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(bodies(MATRIX))), st.integers(0, 400), st.binary(max_size=4))
def test_damage_is_rows_or_an_error(content_type: str, at: int, damage: bytes) -> None:
    body = bodies(MATRIX)[content_type]
    body = body[:at] + damage + body[at + len(damage) :]
    try:
        rows = read_rows(body, content_type, 3)
    except ClientError as error:
        assert str(error)
    else:
        assert rows.features.shape[1] == 3
