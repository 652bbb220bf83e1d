"""The data folder: its lock, its format, its permissions."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest

from headrace.server.stores import data_folder
from headrace.server.stores.data_folder import DataFolder, DataFolderError

HOLD = """
import sys
from pathlib import Path
from headrace.server.stores.data_folder import DataFolder
folder = DataFolder.open(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_folder_is_private_and_has_everything(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path / "a" / "data") as folder:
        assert folder.path == tmp_path / "a" / "data"
        assert (folder.path / "format").read_text() == "1\n"
        for each in (folder.objects, folder.keys, folder.logs, folder.backups, folder.jobs, folder.temporary):
            assert mode(each) == 0o700
        assert mode(folder.path) == 0o700
        assert {folder.database.parent, folder.credentials.parent} == {folder.path}
    with DataFolder.open(tmp_path / "a" / "data"):
        pass


def test_a_second_server_is_told_who_has_it(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path):
        with pytest.raises(DataFolderError, match=rf"in use by process {os.getpid()}, started 20\d\d-.* UTC; stop"):
            DataFolder.open(tmp_path)
        assert DataFolder.at(tmp_path).database == tmp_path / "headrace.db"
    DataFolder.open(tmp_path).close()


def test_a_server_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "data"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "held\n"
        with pytest.raises(DataFolderError, match=f"process {server.pid}"):
            DataFolder.open(path)
        server.send_signal(signal.SIGKILL)
    DataFolder.open(path).close()


FORK = """
import os, sys, time
from pathlib import Path
from headrace.server.stores.data_folder import DataFolder
folder = DataFolder.open(Path(sys.argv[1]))
if os.fork() == 0:
    folder.close()
    print(os.getpid(), flush=True)
    time.sleep(60)
    os._exit(0)
sys.stdin.read()
"""


def test_a_forked_child_does_not_keep_the_lock_of_its_dead_parent(tmp_path: Path) -> None:
    path = tmp_path / "data"
    command = [sys.executable, "-c", FORK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        child = int(server.stdout.readline())
        try:
            with pytest.raises(DataFolderError, match=f"process {server.pid}"):
                DataFolder.open(path)
            server.kill()
            server.wait()
            DataFolder.open(path).close()
        finally:
            os.kill(child, signal.SIGKILL)


def test_what_an_interruption_left_is_swept(tmp_path: Path) -> None:
    DataFolder.open(tmp_path).close()
    (tmp_path / "temporary" / "folder").mkdir()
    (tmp_path / "temporary" / "folder" / "file").write_text("left")
    (tmp_path / "temporary" / "link").symlink_to(tmp_path / "keys")
    (tmp_path / "keys" / "signing.key").write_text("kept")
    (tmp_path / "backups" / "metadata-0001.partial").write_text("left")
    (tmp_path / "backups" / "metadata-0001.db").write_text("kept")
    with DataFolder.open(tmp_path) as folder:
        assert list(folder.temporary.iterdir()) == []
        assert [each.name for each in folder.backups.iterdir()] == ["metadata-0001.db"]
        assert (folder.keys / "signing.key").read_text() == "kept"


def test_a_start_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / ".format.17").touch()
    DataFolder.open(tmp_path).close()
    assert (tmp_path / "format").read_text() == "1\n"


def test_permissions_of_others_are_taken_away(tmp_path: Path) -> None:
    DataFolder.open(tmp_path).close()
    tmp_path.chmod(0o755)
    DataFolder.open(tmp_path).close()
    assert mode(tmp_path) == 0o700


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    tmp_path.chmod(0o755)
    with pytest.raises(DataFolderError, match=r"no data folder of Headrace .it holds 'thesis.tex'"):
        DataFolder.open(tmp_path)
    assert mode(tmp_path) == 0o755
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(DataFolderError, match="is a file"):
        DataFolder.open(tmp_path / "data")
    with pytest.raises(DataFolderError, match="cannot be used"):
        DataFolder.open(tmp_path / "data" / "below")


@pytest.mark.parametrize("text", ["2", "0", "", "one", "1.0", "\x00", "ü"])
def test_a_format_that_is_not_known_is_refused_and_the_lock_given_back(tmp_path: Path, text: str) -> None:
    DataFolder.open(tmp_path).close()
    (tmp_path / "format").write_text(text, encoding="utf-8")
    for _ in range(2):
        with pytest.raises(DataFolderError, match="knows none above 1"):
            DataFolder.open(tmp_path)


def test_an_earlier_format_is_upgraded_after_a_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with DataFolder.open(tmp_path) as folder:
        (folder.keys / "signing.key").write_text("old")
        folder.credentials.write_text("[default]")
    monkeypatch.setattr(data_folder, "FORMAT", 3)
    interrupted = [True]

    def renew(path: Path) -> None:
        (path / "keys" / "signing.key").write_text("new")

    def stop(path: Path) -> None:
        if interrupted.pop() if interrupted else False:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(data_folder, "UPGRADES", MappingProxyType({1: renew, 2: stop}))
    with pytest.raises(DataFolderError, match="No space left on device"):
        DataFolder.open(tmp_path)
    assert (tmp_path / "format").read_text() == "2\n"
    [first] = tmp_path.glob("backups/folder-1-*")
    assert (first / "keys" / "signing.key").read_text() == "old"
    assert (first / "credentials").read_text() == "[default]"
    DataFolder.open(tmp_path).close()
    assert (tmp_path / "format").read_text() == "3\n"
    assert len(list(tmp_path.glob("backups/folder-2-*"))) == 1
