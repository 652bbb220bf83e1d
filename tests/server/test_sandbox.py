"""What code of a user can and can't do: the same questions to each isolation that works here."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.server import sandbox
from headrace.server.errors import Unavailable
from headrace.server.sandbox import Folder, Isolation, ask_to_stop, isolation, sandboxed


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder that others may reach, with a data folder (0700, keys in it) and one to work in."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-sandbox-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "data").mkdir(mode=0o700)
    (folder / "data" / "keys").write_text("the secret key")
    (folder / "work").mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=[Isolation.BUBBLEWRAP, Isolation.USER], ids=lambda how: how.value)
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Isolation:
    if request.param is Isolation.USER:
        if os.getuid() != 0 or not shutil.which("setpriv"):
            pytest.skip("another user id needs root and setpriv")
        monkeypatch.setattr(sandbox, "_bubblewrap_works", lambda: False)
    elif not sandbox._bubblewrap_works():
        pytest.skip("bubblewrap is not installed or may not make namespaces here")
    chosen: Isolation = request.param
    return chosen


def python(place: Path, script: str, how: Isolation, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a script in the sandbox; the system's Python where another user id can't reach ours."""
    interpreter = sys.executable if how is Isolation.BUBBLEWRAP else "/usr/bin/python3"
    if not Path(interpreter).exists():
        pytest.skip("no Python that another user id can reach")
    confined = sandboxed(
        [interpreter, "-c", script], folder=place / "work", hidden=[place / "data"], **({"environment": {}} | options)
    )
    assert confined.isolation is how
    return subprocess.run(
        confined.command, env=confined.environment, cwd=place / "work", capture_output=True, text=True, timeout=30
    )


def test_the_keys_of_the_server_can_not_be_read(place: Path, how: Isolation) -> None:
    done = python(place, f"print(open('{place}/data/keys').read())", how)
    assert done.returncode == 1
    assert "FileNotFoundError" in done.stderr or "PermissionError" in done.stderr
    assert done.stdout == ""


def test_only_its_own_folder_can_be_written(place: Path, how: Isolation) -> None:
    script = f"""
import pathlib
pathlib.Path("inside").write_text("x")
for path in ("{place}/outside", "{place}/data/keys", "/usr/lib/x", "/etc/passwd", "/x", "{sys.prefix}/x"):
    try:
        pathlib.Path(path).write_text("x")
    except OSError:
        continue
    print(path)
"""
    done = python(place, script, how)
    if how is Isolation.BUBBLEWRAP:  # what lies outside its folders is its own, in memory
        assert set(done.stdout.split()) <= {f"{place}/outside", "/x", "/etc/passwd"}, done.stderr
    else:
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (place / "work" / "inside").read_text() == "x"
    assert sorted(path.name for path in place.iterdir()) == ["data", "work"]
    assert not Path("/x").exists()
    assert (place / "data" / "keys").read_text() == "the secret key"


def test_processes_of_others_can_not_be_killed(place: Path, how: Isolation) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    script = f"""
import os, signal
for process in ({bystander.pid}, {os.getpid()}):
    try:
        os.kill(process, signal.SIGKILL)
        print(process)
    except (ProcessLookupError, PermissionError):
        pass
"""
    try:
        assert python(place, script, how).stdout == ""
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_the_environment_is_what_is_given(place: Path, how: Isolation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    done = python(place, "import os; print(dict(os.environ))", how, environment={"SM_MODEL_DIR": "/opt/ml/model"})
    assert "'SM_MODEL_DIR': '/opt/ml/model'" in done.stdout
    assert "AWS_SECRET_ACCESS_KEY" not in done.stdout
    assert f"'HOME': '{place}/work'" in done.stdout
    assert "secret" not in " ".join(sandboxed(["true"], folder=place / "work", environment={"A": "secret"}).command)


@pytest.mark.parametrize("network", [False, True])
def test_there_is_no_network_unless_it_is_asked_for(place: Path, how: Isolation, network: bool) -> None:
    if how is Isolation.USER and not network and not sandbox._unshare_works():
        with pytest.raises(Unavailable, match="a network can't be taken away here without bubblewrap"):
            python(place, "", how)
        return
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = python(place, f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)", how, network=network)
    assert (done.returncode == 0) is network


def test_other_rights_are_gone(place: Path, how: Isolation) -> None:
    script = (
        "import pathlib; print([l.split()[1] for l in open('/proc/self/status') if l.startswith(('CapEff', 'CapPrm'))])"
    )
    assert python(place, script, how).stdout.strip() == "['0000000000000000', '0000000000000000']"


def test_nothing_outlives_it(place: Path, how: Isolation) -> None:
    if how is Isolation.USER and not sandbox._unshare_works():
        pytest.skip("process namespaces are not allowed here")
    python(place, "import os, time\nif os.fork() == 0:\n os.setsid()\n time.sleep(1000.123)", how)
    time.sleep(0.05)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep(1000.123)" not in listed


def test_folders_can_be_shown_elsewhere_and_only_to_read(place: Path) -> None:
    if not sandbox._bubblewrap_works():
        pytest.skip("bubblewrap is not installed or may not make namespaces here")
    for name in ("input", "model"):
        (place / name).mkdir()
    (place / "input" / "table.csv").write_text("1,2")
    script = """
import pathlib
pathlib.Path("/opt/ml/model/copy").write_text(pathlib.Path("/opt/ml/input/data/train/table.csv").read_text())
pathlib.Path("/opt/ml/input/data/train/table.csv").write_text("changed")
"""
    folders = [
        Folder(place / "input", at="/opt/ml/input/data/train"),
        Folder(place / "model", at="/opt/ml/model", writable=True),
    ]
    done = python(place, script, Isolation.BUBBLEWRAP, folders=folders)
    assert "Read-only file system" in done.stderr
    assert (place / "model" / "copy").read_text() == "1,2"
    assert (place / "input" / "table.csv").read_text() == "1,2"


def test_what_is_hidden_is_covered_within_what_is_seen(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not sandbox._bubblewrap_works():
        pytest.skip("bubblewrap is not installed or may not make namespaces here")
    monkeypatch.setattr(sandbox, "_interpreter", lambda: [Path(sys.prefix), Path(sys.base_prefix), place])
    done = python(place, f"import os; print(os.listdir('{place}'), os.listdir('{place}/data'))", Isolation.BUBBLEWRAP)
    assert done.stdout.strip() == f"{[path.name for path in place.iterdir()]} []"
    with pytest.raises(Unavailable, match="holds a folder that the sandbox must not see; give a folder beside it"):
        python(place, "", Isolation.BUBBLEWRAP, folders=[Folder(place)])


def test_it_can_be_asked_to_stop(place: Path, how: Isolation) -> None:
    script = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True); time.sleep(60)"
    )
    interpreter = sys.executable if how is Isolation.BUBBLEWRAP else "/usr/bin/python3"
    confined = sandboxed([interpreter, "-c", script], folder=place / "work", network=True)
    with subprocess.Popen(confined.command, env=confined.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        ask_to_stop(process.pid)
        assert process.wait(20) == 7


def test_another_user_id_needs_folders_that_it_can_reach(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_bubblewrap_works", lambda: False)
    monkeypatch.setattr(sandbox, "isolation", lambda **_: Isolation.USER)
    (place / "data" / "work").mkdir()
    with pytest.raises(Unavailable, match=f"as {place}/data is closed to others; install bubblewrap"):
        sandboxed(["true"], folder=place / "data" / "work")
    with pytest.raises(Unavailable, match="can't be shown as /opt/ml without bubblewrap; install bubblewrap"):
        sandboxed(["true"], folder=place / "work", folders=[Folder(place / "data", at="/opt/ml")])


def test_where_nothing_isolates_scripts_must_be_trusted(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_bubblewrap_works", lambda: False)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    with pytest.raises(Unavailable, match="install bubblewrap, or start with --trust-scripts"):
        isolation()
    confined = sandboxed(["true"], folder=place / "work", trust=True)
    assert (confined.isolation, confined.command) == (Isolation.NONE, ["true"])
