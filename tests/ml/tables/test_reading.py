"""Reading from files of every format, compressed or not, from folders and from addresses."""

import bz2
import datetime
import gzip
import hashlib
import io
import json
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest

from headrace.ml.errors import DataError, ParseError, SourceError
from headrace.ml.tables import Table, read_table

CSV = b"a,b\n1,x\n2,y\n"
FRAME = pl.DataFrame({"a": [1, 2], "d": [datetime.date(2020, 1, 1)] * 2, "s": ["x", None]})


def read(folder: Path, name: str, data: bytes, **options: object) -> Table:
    path = folder / name
    path.write_bytes(data)
    return read_table(path, **options)  # type: ignore[arg-type]


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return stream.getvalue()


def written(method: str) -> bytes:
    stream = io.BytesIO()
    getattr(FRAME, method)(stream)
    return stream.getvalue()


def test_a_table_says_where_it_comes_from(tmp_path: Path):
    table = read(tmp_path, "t.csv", CSV)
    assert table.frame.rows() == [("1", "x"), ("2", "y")]
    assert table.rows.tolist() == [1, 2]
    assert (table.source, table.format) == (str(tmp_path / "t.csv"), "csv")
    assert table.sha256 == hashlib.sha256(CSV).hexdigest()


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("t.csv.gz", gzip.compress),
        ("t.csv.bz2", bz2.compress),
        ("t.csv.xz", lzma.compress),
        ("t.zip", lambda data: zipped(folder__t=data)),
    ],
)
def test_compressed_files(tmp_path: Path, name: str, compress: object):
    data = compress(CSV)  # type: ignore[operator]
    table = read(tmp_path, name, data)
    assert table.frame.rows() == [("1", "x"), ("2", "y")]
    assert table.sha256 == hashlib.sha256(data).hexdigest()
    with pytest.raises(SourceError, match="damaged"):
        read(tmp_path, name, data[: len(data) // 2])


def test_zstd(tmp_path: Path):
    pyarrow = pytest.importorskip("pyarrow")
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(CSV)
    assert read(tmp_path, "t.csv.zst", sink.getvalue().to_pybytes()).frame.height == 2


def test_a_decompression_bomb_is_refused(tmp_path: Path):
    bomb = gzip.compress(b"a,b\n" + bytes("0,0\n", "ascii") * 20_000_000, compresslevel=9)
    with pytest.raises(SourceError, match="decompression bombs"):
        read(tmp_path, "t.csv.gz", bomb)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", bytes(80_000_000))
    with pytest.raises(SourceError, match="decompression bombs"):
        read(tmp_path, "t.zip", stream.getvalue())


def test_zip_files_of_several(tmp_path: Path):
    data = zipped(one=CSV, two=b"c,d\n1,2\n")
    with pytest.raises(SourceError, match=r"zip file of 2 files \('one', 'two'\)"):
        read(tmp_path, "t.zip", data)
    assert read(tmp_path, "t.zip", data, table="two").frame.columns == ["c", "d"]
    assert read_table(f"{tmp_path}/t.zip#two").frame.columns == ["c", "d"]
    with pytest.raises(SourceError, match="no member 'twos'; did you mean 'two'"):
        read_table(f"{tmp_path}/t.zip", table="twos")


@pytest.mark.parametrize(
    ("method", "kind"), [("write_parquet", "parquet"), ("write_ipc", "arrow"), ("write_ipc_stream", "arrow")]
)
def test_columnar_files_keep_their_types(tmp_path: Path, method: str, kind: str):
    table = read(tmp_path, "t", written(method))
    assert table.frame.equals(FRAME)
    assert table.format == kind
    with pytest.raises(SourceError, match="damaged"):
        read(tmp_path, "t", written(method)[: 200 if kind == "arrow" else -30])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("t.json", '[{"a":1,"b":"x"},{"a":2.5}]', {"a": [1.0, 2.5], "b": ["x", None]}),
        ("t.json", '{"a":[1,2],"b":["x",null]}', {"a": [1, 2], "b": ["x", None]}),
        ("t.json", '{"a":{"0":1,"1":2},"b":{"0":"x","1":"y"}}', {"a": [1, 2], "b": ["x", "y"]}),
        ("t.json", '{"count":2,"data":[{"a":1},{"a":2}]}', {"a": [1, 2]}),
        ("t.json", '[{"a":{"b":1,"c":{"d":2}}}]', {"a.b": [1], "a.c.d": [2]}),
        ("t.json", '[{"a":1},{"a":"x"},{"a":true},{"a":[1,2]}]', {"a": ["1", "x", "true", "1, 2"]}),
        ("t.jsonl", '{"a":1}\n\n{"a":2}\n', {"a": [1, 2]}),
        ("t", '{"a":1,"b":"x, y"}\n{"a":2,"b":"z"}\n', {"a": [1, 2], "b": ["x, y", "z"]}),
        ("t.json", '{"a":1}', {"a": [1]}),
    ],
)
def test_json(tmp_path: Path, name: str, text: str, expected: dict[str, list[object]]):
    assert read(tmp_path, name, text.encode()).frame.to_dict(as_series=False) == expected


@pytest.mark.parametrize(
    ("name", "text", "error", "sentence"),
    [
        ("t.json", '[{"a":1},\n{"a":}]', ParseError, "not valid JSON at line 2, column 6"),
        ("t.jsonl", '{"a":1}\n{"a":\n', ParseError, "line 2 of .* is not valid JSON"),
        ("t.jsonl", '{"a":1}\n3\n', ParseError, "line 2 of .* is not a JSON object"),
        ("t.json", "3", SourceError, "JSON but no table"),
        ("t.json", "[]", SourceError, "empty list"),
        ("t.json", '{"a":[1,2],"b":[1]}', SourceError, "column 'b' .* has 1 values where others have 2"),
        ("t.json", "[" * 100_000, SourceError, "nested too deep"),
    ],
)
def test_json_that_is_no_table(tmp_path: Path, name: str, text: str, error: type[Exception], sentence: str):
    with pytest.raises(error, match=sentence):
        read(tmp_path, name, text.encode())


def test_a_csv_file_with_braces_is_not_json(tmp_path: Path):
    assert read(tmp_path, "t.csv", b'"{",b\n1,2\n').frame.columns == ["{", "b"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"\n\n", "is empty"),
        (b"a,b\n", "has a header but no rows"),
        (b"\x89PNG\r\n\x1a\n123", "is a PNG picture"),
        (b"\x80\x04abc", "is a Python pickle, which is never opened"),
        (b"a\0b", "NUL byte at position 2"),
        (b"PK\x03\x04junk", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, data: bytes, sentence: str):
    with pytest.raises(SourceError, match=sentence) as caught:
        read(tmp_path, "t.csv", data)
    assert "\n" not in str(caught.value)


def test_a_tar_archive_is_refused(tmp_path: Path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("t.csv"))
    with pytest.raises(SourceError, match="tar archive"):
        read(tmp_path, "t.tar.gz", stream.getvalue())


def test_random_bytes_never_break_it(tmp_path: Path):
    for magic in (
        b"",
        b"PAR1",
        b"ARROW1",
        b"\x1f\x8b",
        b"BZh9",
        b"\xfd7zXZ\x00",
        b"PK\x03\x04",
        b"SQLite format 3\0",
        b"[{",
        b"\xff\xfe",
    ):
        with pytest.raises(DataError):
            read(tmp_path, "t.bin", magic + bytes(range(256)) * 8)


def test_missing_files_get_a_suggestion(tmp_path: Path):
    (tmp_path / "churn.csv").write_bytes(CSV)
    with pytest.raises(SourceError, match=r"there is no file '.*chrun.csv'; did you mean 'churn.csv'\?"):
        read_table(tmp_path / "chrun.csv")
    with pytest.raises(SourceError, match="there is no folder"):
        read_table(tmp_path / "no" / "churn.csv")
    with pytest.raises(
        SourceError, match=r"is a folder and not a table; give one of its tables, such as '.*churn.csv'"
    ):
        read_table(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="only an ordinary user is refused a file")
def test_unreadable_files(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_bytes(CSV)
    path.chmod(0)
    with pytest.raises(SourceError, match="permission denied"):
        read_table(path)


def test_what_is_neither_file_nor_folder(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        read_table(tmp_path / "pipe")


def test_addresses_are_opened_by_the_caller():
    table = read_table("s3://bucket/t.csv.gz", openers={"s3": lambda address: io.BytesIO(gzip.compress(CSV))})
    assert (table.source, table.frame.height) == ("s3://bucket/t.csv.gz", 2)
    with pytest.raises(SourceError, match=r"begin with 'gs://' cannot be read here, only files and .*s3://"):
        read_table("gs://bucket/t.csv", openers={"s3": lambda address: io.BytesIO(CSV)})

    def broken(address: str) -> io.BytesIO:
        raise ConnectionError("no route")

    with pytest.raises(SourceError, match="'s3://b/t' cannot be read: no route"):
        read_table("s3://b/t", openers={"s3": broken})


def test_file_addresses(tmp_path: Path):
    (tmp_path / "t.csv").write_bytes(CSV)
    assert read_table(f"file://{tmp_path}/t.csv").frame.height == 2


def test_folders_of_pictures_list_path_and_label(tmp_path: Path):
    for name in ("cat/1.png", "cat/2.png", "dog/3.JPG"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    table = read_table(tmp_path)
    assert table.format == "image folder"
    assert table.frame.rows() == [
        ("cat/1.png", b"x", "cat"), ("cat/2.png", b"x", "cat"), ("dog/3.JPG", b"x", "dog")
    ]  # fmt: skip
    unreadable, copies, torn = table.notes
    assert unreadable.startswith("3 pictures that cannot be read and count as missing: 'cat/1.png' (it does not begin")
    assert copies == "2 copies of other files, byte by byte (first: 'cat/2.png' of 'cat/1.png')"
    assert torn == "1 file has copies under another label (first: 'cat/1.png' and 'dog/3.JPG')"


def test_links_that_lead_out_of_a_folder_are_not_followed(tmp_path: Path):
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "mails" / "spam"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("Hello there")
    (folder / "b.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "c.txt").symlink_to(folder / "a.txt")
    table = read_table(tmp_path / "mails")
    assert table.frame["path"].to_list() == ["spam/a.txt", "spam/c.txt"]
    assert table.notes[0] == "1 link that leads out of the folder (first: 'spam/b.txt') and not followed"


@pytest.mark.parametrize(("ending", "kind", "content"), [("txt", "text folder", ("x",)), ("wav", "audio folder", ())])
def test_folders_of_text_and_sound(tmp_path: Path, ending: str, kind: str, content: tuple[str, ...]):
    (tmp_path / f"a.{ending}").write_bytes(b"x")
    table = read_table(tmp_path)
    assert table.format == kind
    assert table.frame.rows() == [(f"a.{ending}", *content, None)]


def test_folders_of_parquet_parts_are_one_table(tmp_path: Path):
    for name in ("part-0.parquet", "part-1.parquet"):
        FRAME.write_parquet(tmp_path / name)
    assert read_table(tmp_path).frame.equals(pl.concat([FRAME, FRAME]))


def test_empty_folders_are_refused(tmp_path: Path):
    with pytest.raises(SourceError, match="is a folder and not a table"):
        read_table(tmp_path)


def test_json_survives_a_round_trip(tmp_path: Path):
    records = [{"a": 1, "b": "x"}, {"a": None, "b": 'q"uote'}]
    assert read(tmp_path, "t.json", json.dumps(records).encode()).frame.to_dicts() == records


def test_a_link_that_leads_nowhere_is_said(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(SourceError, match="is a link to a file that is not there"):
        read_table(tmp_path / "link.csv")
