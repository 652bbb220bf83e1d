"""Channels: folders of files as rows, whole and block by block."""

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from scipy.sparse import csr_matrix

from headrace.server.containers.contract import Channel, ClientError, Rows
from headrace.server.containers.formats import read_blocks, read_channel
from headrace.server.containers.formats.recordio import write_rows

GENERATOR = np.random.default_rng(3)
MATRIX = GENERATOR.normal(size=(60, 4)).astype(np.float32)
LABELS = GENERATOR.integers(0, 3, 60).astype(np.float32)


def csv(features: Any, labels: Any = None) -> bytes:
    table = features if labels is None else np.column_stack([labels, features])
    return "".join(",".join(map(repr, row)) + "\n" for row in table.tolist()).encode()


def parquet(features: Any, labels: Any) -> bytes:
    stream = io.BytesIO()
    polars.DataFrame(np.column_stack([labels, features])).write_parquet(stream)
    return stream.getvalue()


def libsvm(features: Any, labels: Any) -> bytes:
    return "".join(
        f"{label:g} " + " ".join(f"{i}:{v!r}" for i, v in enumerate(row)) + "\n"
        for label, row in zip(labels, features.tolist(), strict=True)
    ).encode()


def recordio(features: Any, labels: Any) -> bytes:
    return write_rows(Rows(features, labels))


WRITERS = {
    "text/csv": csv,
    "text/csv;label_size=1;charset=utf8": csv,
    "application/x-parquet": parquet,
    "text/libsvm": libsvm,
    "application/x-recordio-protobuf": recordio,
}


def channel(folder: Path, files: dict[str, bytes], content_type: str = "text/csv") -> Channel:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Channel("train", folder, content_type)


def dense(rows: Rows) -> Any:
    return rows.features if isinstance(rows.features, np.ndarray) else rows.features.toarray()


@pytest.mark.parametrize("content_type", WRITERS)
def test_files_are_read_in_the_order_of_their_paths(tmp_path: Path, content_type: str) -> None:
    write = WRITERS[content_type]
    parts = [write(MATRIX[at : at + 20], LABELS[at : at + 20]) for at in (0, 20, 40)]
    zipped = gzip.compress(parts[2]) if content_type != "application/x-parquet" else parts[2]
    files = {"b/part-0": parts[1], "a": parts[0], "b/part-1.gz": zipped, "_SUCCESS": b"x", ".hidden": b"x", "c/": b""}
    del files["c/"]
    files |= {"empty": b"", "categorical_index.json": b'{"cat_index_list": [1]}'}
    rows = read_channel(channel(tmp_path, files, content_type))
    np.testing.assert_array_equal(dense(rows), MATRIX)
    assert rows.labels is not None
    np.testing.assert_array_equal(rows.labels, LABELS)
    one = read_channel(channel(tmp_path / "one", {"a": write(MATRIX, LABELS)}, content_type))
    assert one.labels is not None
    numbers = one.features if isinstance(one.features, np.ndarray) else one.features.data
    for array in (numbers, one.labels):
        assert array.flags.writeable
        assert array.flags.c_contiguous


@pytest.mark.parametrize("content_type", WRITERS)
@pytest.mark.parametrize("size", [1, 100, 10_000])
def test_blocks_are_the_rows_in_order(tmp_path: Path, content_type: str, size: int) -> None:
    body = WRITERS[content_type](MATRIX, LABELS)
    given = channel(tmp_path, {"a": body, "b": body}, content_type)
    blocks = list(read_blocks(given, size=size, width=4))
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.vstack([dense(rows) for rows in blocks]), np.vstack([MATRIX, MATRIX]))
    np.testing.assert_array_equal(
        np.concatenate([rows.labels for rows in blocks if rows.labels is not None]), [*LABELS, *LABELS]
    )


def test_the_content_type_tells_how_many_labels_there_are(tmp_path: Path) -> None:
    given = channel(tmp_path, {"a": csv(MATRIX, LABELS)}, "text/csv;label_size=0")
    assert read_channel(given).features.shape == (60, 5)
    given = Channel("train", tmp_path, "text/csv; label_size=2")
    rows = read_channel(given)
    assert rows.labels is not None
    assert rows.labels.shape == (60, 2)
    assert read_channel(Channel("train", tmp_path, "csv"), label_size=0).labels is None
    weighted = read_channel(channel(tmp_path / "w", {"a": csv(np.abs(MATRIX), LABELS)}), weighted=True)
    assert weighted.weights is not None
    np.testing.assert_array_equal(weighted.weights, np.abs(MATRIX[:, 0]))
    assert weighted.features.shape == (60, 3)


def test_the_first_accepted_type_is_the_default(tmp_path: Path) -> None:
    given = channel(tmp_path, {"a": libsvm(MATRIX, LABELS)}, "")
    np.testing.assert_array_equal(dense(read_channel(given, accepted=("text/libsvm", "text/csv"))), MATRIX)


def test_libsvm_is_as_wide_as_its_widest_block(tmp_path: Path) -> None:
    given = channel(tmp_path, {"a": b"1 0:1\n", "b": b"0:0.5 5:1\n"}, "text/libsvm")
    rows = read_channel(given)
    assert rows.features.toarray().tolist() == [[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]]
    assert rows.weights is not None
    assert rows.weights.tolist() == [1, 0.5]


def test_groups_of_several_files_are_joined(tmp_path: Path) -> None:
    rows = read_channel(channel(tmp_path, {"a": b"1 qid:1 0:1\n", "b": b"1 qid:2 0:1\n"}, "text/libsvm"))
    assert rows.groups is not None
    assert rows.groups.tolist() == [1, 2]


def test_dense_and_sparse_files_make_sparse_rows(tmp_path: Path) -> None:
    sparse = csr_matrix(np.eye(4, dtype=np.float32))
    files = {"a": write_rows(Rows(MATRIX, LABELS)), "b": write_rows(Rows(sparse, LABELS[:4]))}
    rows = read_channel(channel(tmp_path, files, "application/x-recordio-protobuf"))
    np.testing.assert_array_equal(rows.features.toarray(), np.vstack([MATRIX, np.eye(4)]))


ZIPPED = gzip.compress(b"1,2\n" * 1000)


@pytest.mark.parametrize(
    ("files", "content_type", "sentence"),
    [
        ({}, "text/csv", "Channel 'train' has no data: there is no file with anything in it."),
        ({"a": b"", "_b": b"1,2"}, "text/csv", "Channel 'train' has no data"),
        ({"a": b"\n \n"}, "text/csv", "Channel 'train' has no data: its files hold no row."),
        ({"a": b"1,2"}, "image/png", "image/png is not an accepted ContentType of channel 'train': text/csv, "),
        ({"a": b"1,2"}, "text/csv;label_size=many", "label_size is a whole number"),
        ({"a": b"1,2,3\n", "b": b"1,2\n"}, "text/csv", "Rows of file 'b' have 1 features, where 2 are expected."),
        ({"deep/er.csv": b"sex,age\n"}, "text/csv", "Non-numeric value 'sex' found in the header line 'sex,age' of file 'deep/er.csv'"),
        ({"a": ZIPPED[:-20]}, "text/csv", "File 'a' is gzip that is damaged or cut off."),
        ({"a": ZIPPED[:10] + b"x" * 20}, "text/csv", "File 'a' is gzip that is damaged or cut off."),
        ({"a": b"\x1f\x8b"}, "text/csv", "File 'a' is gzip that is damaged or cut off."),
        ({"a": b"1,2"}, "application/x-parquet", "Failed to load parquet data of file 'a'"),
        ({"a": b"1,2"}, "application/x-recordio-protobuf", "The last record of file 'a' is cut off"),
        ({"a": b"1,2,3,4,5,6"}, "application/x-recordio-protobuf", "does not begin with RecordIO's magic number"),
        ({"a": write_rows(Rows(MATRIX)), "b": write_rows(Rows(MATRIX, LABELS))}, "application/x-recordio-protobuf", "rows of file 'b' have not, or the reverse"),
    ],
)  # fmt: skip
def test_what_is_no_channel_is_named(tmp_path: Path, files: dict[str, bytes], content_type: str, sentence: str) -> None:
    with pytest.raises(ClientError) as caught:
        read_channel(channel(tmp_path, files, content_type))
    assert sentence in str(caught.value)


@pytest.mark.parametrize("size", [7, 64, 10_000])
def test_an_error_names_the_line_of_the_file_whatever_the_blocks(tmp_path: Path, size: int) -> None:
    given = channel(tmp_path, {"a": b"1,2\n" * 40 + b"1,x\n" + b"1,2\n" * 40})
    with pytest.raises(ClientError, match=r"Non-numeric value 'x' found in line 41, column 2 of file 'a'"):
        list(read_blocks(given, size=size))
    given = channel(tmp_path, {"a": b"1 0:2\n" * 40 + b"1 x\n"}, "text/libsvm")
    with pytest.raises(ClientError, match="Line 41 of file 'a' is not 'LIBSVM' format"):
        list(read_blocks(given, size=size))


def test_a_declared_width_is_kept(tmp_path: Path) -> None:
    given = channel(tmp_path, {"a": csv(MATRIX, LABELS)})
    with pytest.raises(ClientError, match="Rows of file 'a' have 4 features, where 5 are expected"):
        read_channel(given, width=5)
