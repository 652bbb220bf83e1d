"""libsvm text: the quick reader and the careful one, beside scikit-learn's."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from headrace.server.containers.contract import ClientError, Rows
from headrace.server.containers.formats import libsvm
from headrace.server.containers.formats.libsvm import read_libsvm
from headrace.server.containers.formats.soundness import Source

SOURCE = Source("train.libsvm")


@pytest.fixture(params=["carefully", "at large"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Read short texts both ways."""
    monkeypatch.setattr(libsvm, "LARGE", 0 if request.param == "at large" else 10**9)
    return str(request.param)


def dense(rows: Rows) -> list[list[float]]:
    return rows.features.toarray().tolist()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("text", "features", "labels"),
    [
        (b"1 0:2 2:3\n0 1:4\n", [[2, 0, 3], [0, 4, 0]], [1, 0]),
        (b"1 0:2 2:3 \r\n\n0  1:4", [[2, 0, 3], [0, 4, 0]], [1, 0]),
        (b"1\t1:4\n", [[0, 4]], [1]),
        (b"1 2:3 0:2 # a comment\n", [[2, 0, 3]], [1]),
        (b"1\n0 0:1\n-1\n", [[0], [1], [0]], [1, 0, -1]),
        (b"1.5 0:-2e-3\n", [[np.float32(-2e-3)]], [1.5]),
        (b"1 0:nan\n", [[np.nan]], [1]),
    ],
)
def test_rows_are_read(text: bytes, features: list[list[float]], labels: list[float]) -> None:
    rows = read_libsvm(text, SOURCE)
    np.testing.assert_array_equal(dense(rows), features)
    assert rows.labels is not None
    assert rows.labels.tolist() == labels
    assert rows.weights is None
    assert rows.groups is None


@pytest.mark.usefixtures("way")
def test_weights_and_groups_are_read() -> None:
    rows = read_libsvm(b"1:0.5 qid:7 0:2\n0 qid:7 0:1 1:4\n2:3 qid:9\n", SOURCE)
    assert rows.weights is not None
    assert rows.groups is not None
    assert rows.weights.tolist() == [0.5, 1, 3]
    assert rows.groups.tolist() == [7, 7, 9]
    assert dense(rows) == [[2, 0], [1, 4], [0, 0]]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("text", "width", "features"),
    [
        (b"0 0:1 2:3", 3, [[1, 0, 3]]),
        (b"0 1:1 3:3", 3, [[1, 0, 3]]),
        (b"0 1:1 2:3", 3, [[0, 1, 3]]),
        (b"0 1:1 8:3", 9, [[0, 1, 0, 0, 0, 0, 0, 0, 3]]),
        (b"0", 2, [[0, 0]]),
    ],
)
def test_indices_count_from_zero_unless_they_end_at_the_width(
    text: bytes, width: int, features: list[list[float]]
) -> None:
    assert dense(read_libsvm(text, SOURCE, width=width, labelled=False)) == features


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"\n \n", "There are no rows in file 'train.libsvm'."),
        (
            b"1,2,3\n",
            "Line 1 of file 'train.libsvm' is not 'LIBSVM' format: '1,2,3' is no label[:weight] or index:value.",
        ),
        (b"1 0:1\n1 0:x\n", "Line 2 of file 'train.libsvm' is not 'LIBSVM' format: '0:x'"),
        (b"1 0:1\n1 5\n", "Line 2 of file 'train.libsvm' is not 'LIBSVM' format: '5'"),
        (b"1 0:1:2\n", "'0:1:2'"),
        (b"1:2:3 0:1\n", "'1:2:3'"),
        (b"1 0:\n", "'0:'"),
        (b"1 :1\n", "':1'"),
        (b"1: 0:1 2:1_0\n", "'2:1_0'"),
        (b"1 0:1 0:2\n", "Row 1 of file 'train.libsvm' has the key 0 twice"),
        (b"1 -3:1\n", "no whole number from 0"),
        (b"1 1.5:1\n", "no whole number from 0"),
        (b"1 99999999999:1\n", "no whole number from 0"),
        (b"1 nan:1\n", "no whole number from 0"),
        (b"1 0:inf\n", "Row 1 of file 'train.libsvm' holds a number that is infinite"),
        (b"1 0:1e999\n", "Row 1 of file 'train.libsvm' holds a number that is infinite"),
        (b"nan 0:1\n", "Row 1 of file 'train.libsvm' has no label"),
        (b"1:-1 0:1\n", "Row 1 of file 'train.libsvm' has a weight"),
        (b"1 qid:1 0:1\n1 0:1\n", "Some rows of file 'train.libsvm' have a qid and some have none"),
        (b"1 0:1 qid:2\n", "'qid:2'"),
        (b"1 qid:x 0:2\n", "'qid:x'"),
        (b"1 qid:-1 0:2\n", "'qid:-1'"),
        (b"1 qid:1.5 0:2\n", "'qid:1.5'"),
        (b"1 qid:1e300 0:2\n", "'qid:1e300'"),
        (b"1 qid:nan 0:2\n", "'qid:nan'"),
        (b"1 qid:1_0 0:2\n", "'qid:1_0'"),
        (b"\xff\xfe 0:1\n", r"'\xff\xfe'"),
    ],
)
def test_what_is_no_row_is_named(text: bytes, sentence: str) -> None:
    with pytest.raises(ClientError) as caught:
        read_libsvm(text, SOURCE)
    assert sentence in str(caught.value)


def test_an_index_beyond_the_width_is_refused() -> None:
    with pytest.raises(ClientError, match=r"Feature size of the request 6 is not consistent .* trained model 3"):
        read_libsvm(b"0 0:1 5:1", Source(), width=3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_what_scikit_learn_writes_is_read_as_it_reads_it(seed: int, zero_based: bool) -> None:
    generator = np.random.default_rng(seed)
    matrix = generator.normal(size=(5, 4)) * generator.integers(0, 2, (5, 4))
    matrix[0, -1] = 1
    stream = io.BytesIO()
    dump_svmlight_file(matrix, generator.integers(0, 2, 5), stream, zero_based=zero_based)
    text = stream.getvalue()
    expected, labels = load_svmlight_file(
        io.BytesIO(text), zero_based=True, n_features=5 - zero_based, dtype=np.float64
    )
    quick, careful = libsvm._read_large(text), libsvm._read_carefully(text, SOURCE)
    assert quick
    for one, other in zip(quick, careful, strict=True):
        np.testing.assert_array_equal(one, other)
    read = read_libsvm(text, SOURCE)
    np.testing.assert_array_equal(read.features.toarray(), expected.toarray().astype(np.float32))
    np.testing.assert_array_equal(read.labels, labels)


TOKENS = st.lists(
    st.sampled_from([b"1", b"0:1", b"2:", b":3", b" ", b"\n", b"1:2", b"qid:3", b"#", b"-1:1", b"x", b"4:nan"]),
    max_size=14,
)


@settings(max_examples=200, deadline=None)
@given(TOKENS.map(b" ".join))
def test_the_quick_reader_is_the_careful_one_or_leaves_it_to_it(text: bytes) -> None:
    quick = libsvm._read_large(text)
    if quick:
        careful = libsvm._read_carefully(text, SOURCE)
        for one, other in zip(quick, careful, strict=True):
            if one is not None and other is not None:
                np.testing.assert_array_equal(one, other)
    assert quick is None or len(quick) == 6
