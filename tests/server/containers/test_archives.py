"""Archives that are honest come out as they went in; all others are refused and leave nothing."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.server.containers.archives import pack, unpack
from headrace.server.containers.contract import ClientError


def write(path: Path, members: list[tuple[tarfile.TarInfo | str, bytes]], **options: object) -> Path:
    """Write a tar.gz of members: names, or headers, with their content."""
    with tarfile.open(path, "w:gz", **options) as tar:  # type: ignore[call-overload]
        for header, content in members:
            member = tarfile.TarInfo(header) if isinstance(header, str) else header
            if not member.size:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def header(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def refused(archive: Path, **limits: int) -> str:
    folder = archive.parent / "unpacked"
    with pytest.raises(ClientError) as failure:
        unpack(archive, folder, **limits)
    assert not folder.exists()
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]
    assert "\n" not in str(failure.value)
    return str(failure.value)


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def test_what_is_packed_comes_out_again_and_is_the_same_each_time(tmp_path: Path) -> None:
    source = tmp_path / "model"
    (source / "code" / "deep").mkdir(parents=True)
    (source / "empty").mkdir()
    (source / "model.bin").write_bytes(os.urandom(100_000))
    (source / "code" / "deep" / ("ü" * 60 + "x" * 80)).write_bytes(b"long name")
    (source / "code" / "serve").write_bytes(b"#!/bin/sh\n")
    (source / "code" / "serve").chmod(0o755)
    (source / "none").touch()
    pack(source, tmp_path / "one.tar.gz")
    os.utime(source / "none", (1, 1))
    pack(source, tmp_path / "two.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()
    unpack(tmp_path / "one.tar.gz", tmp_path / "out" / "model")
    assert tree(tmp_path / "out" / "model") == tree(source)
    assert os.access(tmp_path / "out" / "model" / "code" / "serve", os.X_OK)
    assert not os.access(tmp_path / "out" / "model" / "none", os.X_OK)


def test_packing_follows_no_link_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    source = tmp_path / "model"
    source.mkdir()
    (source / "epoch-3").write_bytes(b"weights")
    (source / "latest").symlink_to("epoch-3")
    (source / "stolen").symlink_to(tmp_path / "secret")
    (source / "all").symlink_to(tmp_path)
    (source / "dangling").symlink_to("nothing")
    os.mkfifo(source / "pipe")
    os.link(source / "epoch-3", source / "same")
    pack(source, tmp_path / "model.tar.gz")
    unpack(tmp_path / "model.tar.gz", tmp_path / "out")
    assert tree(tmp_path / "out") == {"epoch-3": b"weights", "latest": b"weights", "same": b"weights"}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_archives_of_other_programs_are_read(tmp_path: Path, mode: str, kind: int) -> None:
    name = "code/" + "n" * 90 + ".py" if kind == tarfile.USTAR_FORMAT else "code/" + "n" * 240 + ".py"
    with tarfile.open(tmp_path / "model.tar", mode, format=kind) as tar:  # type: ignore[call-overload]
        tar.addfile(header("./", tarfile.DIRTYPE))
        tar.addfile(header("./", tarfile.DIRTYPE))
        for path, content in (("./xgboost-model", b"m" * 512), (name, b"import os\n")):
            member = header(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    unpack(tmp_path / "model.tar", tmp_path / "out")
    assert tree(tmp_path / "out") == {"xgboost-model": b"m" * 512, "code": None, name: b"import os\n"}


def test_an_archive_of_nothing_is_an_empty_folder(tmp_path: Path) -> None:
    unpack(write(tmp_path / "model.tar.gz", []), tmp_path / "out")
    assert tree(tmp_path / "out") == {}


@pytest.mark.parametrize(
    "content", [b"", b"x", b"no archive at all" * 100, b"\x80\x04\x95pickle", b"PK\x03\x04" + b"z" * 600]
)
@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
def test_no_archive(tmp_path: Path, content: bytes, wrap: Callable[[bytes], bytes]) -> None:
    (tmp_path / "model.tar.gz").write_bytes(wrap(content))
    assert "no tar.gz archive" in refused(tmp_path / "model.tar.gz")


def test_cut_off_and_damaged_archives(tmp_path: Path) -> None:
    whole = write(tmp_path / "model.tar.gz", [("a", os.urandom(5000)), ("b", os.urandom(5000))]).read_bytes()
    for size in (5, 20, 1000, 6000, len(whole) - 9, len(whole) - 1):
        (tmp_path / "model.tar.gz").write_bytes(whole[:size])
        assert "damaged or cut off" in refused(tmp_path / "model.tar.gz")
    (tmp_path / "model.tar.gz").write_bytes(whole[:-8] + b"\0\0\0\0" + whole[-4:])
    assert "damaged" in refused(tmp_path / "model.tar.gz")
    plain = gzip.decompress(whole)
    (tmp_path / "model.tar.gz").write_bytes(plain[:600])
    assert "cut off" in refused(tmp_path / "model.tar.gz")
    (tmp_path / "model.tar.gz").write_bytes(plain[:5632] + b"?" * 512 + plain[6144:])
    assert "damaged" in refused(tmp_path / "model.tar.gz")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a named pipe"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file"),
        (b"V", "of an unknown kind"),
    ],
)
def test_links_and_special_files(tmp_path: Path, kind: bytes, said: str) -> None:
    archive = write(tmp_path / "model.tar.gz", [("model", b"m"), (header("bad", kind, "/etc/passwd"), b"")])
    message = refused(archive)
    assert said in message
    assert "'bad'" in message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../evil", "leads out"),
        ("a/../../evil", "leads out"),
        ("a/..", "leads out"),
        ("/etc/evil", "absolute"),
        ("//evil", "absolute"),
        ("a\nb", "control characters"),
        ("n" * 300, "too long"),
        ("d/" * 700 + "x", "too long"),
        ("", "twice"),
        (".", "twice"),
    ],
)
def test_names_that_lead_elsewhere(tmp_path: Path, name: str, said: str) -> None:
    assert said in refused(write(tmp_path / "model.tar.gz", [("first", b"1"), (name, b"x")]))


def test_a_long_name_hides_no_way_out(tmp_path: Path) -> None:
    archive = write(tmp_path / "model.tar.gz", [("x/" * 80 + "../" * 90 + "evil", b"x")], format=tarfile.GNU_FORMAT)
    assert "leads out" in refused(archive)
    extended = header("harmless")
    extended.pax_headers = {"path": "/etc/evil"}
    assert "absolute" in refused(write(tmp_path / "model.tar.gz", [(extended, b"x")]))


def test_names_that_are_no_text(tmp_path: Path) -> None:
    archive = write(tmp_path / "model.tar.gz", [("caf\udce9", b"x")], encoding="utf-8", format=tarfile.GNU_FORMAT)
    assert "no UTF-8 text" in refused(archive)


@pytest.mark.parametrize("names", [("a", "a"), ("a", "./a"), ("a", "a/b"), ("a/b", "a"), ("b/c", "b//c")])
def test_duplicate_names(tmp_path: Path, names: tuple[str, str]) -> None:
    archive = write(tmp_path / "model.tar.gz", [(name, b"x") for name in names])
    assert refused(archive).startswith("The archive has ")


def test_what_expands_a_thousandfold(tmp_path: Path) -> None:
    archive = write(tmp_path / "model.tar.gz", [("zeros", bytes(40 << 20))])
    assert archive.stat().st_size < (40 << 20) // 900
    assert f"more than {16 << 20} bytes" in refused(archive)


def test_zeros_behind_the_end_count_too(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "model.tar.gz", "wb", compresslevel=9) as file:
        file.write(bytes(40 << 20))
    assert "expands to more than" in refused(tmp_path / "model.tar.gz")


def test_limits_of_bytes_and_files(tmp_path: Path) -> None:
    archive = write(tmp_path / "model.tar.gz", [(f"f{number}", b"x" * 1000) for number in range(20)])
    assert "more than 10000 bytes" in refused(archive, most_bytes=10_000)
    assert "more than 19 files" in refused(archive, most_files=19)
    unpack(archive, tmp_path / "out", most_files=20)
    assert len(tree(tmp_path / "out")) == 20
    nested = write(tmp_path / "nested.tar.gz", [("d/" * 400 + "x", b"x")])
    with pytest.raises(ClientError, match="more than 300 files"):
        unpack(nested, tmp_path / "deep", most_files=300)


@pytest.mark.parametrize(
    "extra", [{"size": "-5"}, {"size": "1e3"}, {"size": "9" * 30}, {"GNU.sparse.realsize": "1"}, {"size": "9" * 15}]
)
def test_headers_that_lie(tmp_path: Path, extra: dict[str, str]) -> None:
    member = header("model")
    member.pax_headers = extra
    assert refused(write(tmp_path / "model.tar.gz", [(member, b"x" * 100)], format=tarfile.PAX_FORMAT))


def test_headers_that_are_huge_or_broken(tmp_path: Path) -> None:
    huge = header("long", tarfile.GNUTYPE_LONGNAME)
    archive = write(tmp_path / "model.tar.gz", [(huge, b"n" * (2 << 20))])
    assert "a header of 2097152 bytes" in refused(archive)
    for content in (b"nonsense", b"0 a=b\n", b"9999999 a=b\n", b"6 ab\n\n", b"\xff" * 30):
        archive = write(tmp_path / "model.tar.gz", [(header("x", tarfile.XHDTYPE), content), ("y", b"")])
        assert "can't be read" in refused(archive)


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    archive = write(tmp_path / "model.tar.gz", [("a", b"new")])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").touch()
    with pytest.raises(OSError, match="not empty"):
        unpack(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == {"kept": b""}
