"""What requirements.txt asks for is there when the script runs, is made once, and fails in one sentence."""

import secrets
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.server.containers.scripts import ScriptFailed
from headrace.server.containers.scripts.requirements import plain
from headrace.server.sandbox import Isolation, isolation

pytestmark = pytest.mark.skipif(
    isolation(trust=True) is not Isolation.BUBBLEWRAP, reason="scripts need bubblewrap for /opt/ml"
)
RUN = """
import os, shutil, subprocess, sys
import numpy, river_bed
assert river_bed.DEPTH == 3
print(subprocess.run(["river-bed"], capture_output=True, text=True, check=True).stdout)
"""
MODULE = "import sys\nDEPTH = 3\ndef main():\n    import numpy\n    print('depth', DEPTH, 'by', sys.prefix)\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a wheel in a folder that is the only place where pip looks for packages."""
    version = f"1.{secrets.randbelow(1 << 30)}"  # the tests of before may have made an environment with any other
    about = f"river_bed-{version}.dist-info"
    files = {
        "river_bed.py": MODULE,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: river-bed\nVersion: {version}\n",
        f"{about}/WHEEL": WHEEL,
        f"{about}/entry_points.txt": "[console_scripts]\nriver-bed = river_bed:main\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD"))
    path = tmp_path / "wheels" / f"river_bed-{version}-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    for name in ("INDEX_URL", "EXTRA_INDEX_URL"):
        monkeypatch.delenv(f"PIP_{name}", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return path


@pytest.fixture
def run_in(run: Callable[..., Any], wheel: Path) -> Callable[..., Any]:
    """Return what runs a script with a requirements.txt."""
    return lambda text, script=RUN, **members: run({"train.py": script, "requirements.txt": text}, **members)


def test_packages_are_installed_once(run_in: Callable[..., Any], wheel: Path) -> None:
    pinned = wheel.name.partition("-py3")[0].replace("_", "-").replace("-bed-", "-bed==")
    first = run_in(f"# what we need\n{pinned}\n\n")
    assert first.code == 0, first.output
    assert "depth 3 by /opt/ml/.environment" in first.output
    assert [line for line in first.log if line.startswith("installing river-bed")]
    again = run_in(pinned, network=False)
    assert again.code == 0, again.output
    assert again.log == [], "the environment of before is taken, even without a network"


def test_what_is_the_sources_own_is_installed_in_the_sandbox(run_in: Callable[..., Any], wheel: Path) -> None:
    ended = run_in(f"--find-links {wheel.parent}\nriver-bed\n")
    assert ended.code == 0, ended.output
    assert ended.log == []
    assert "Successfully installed river-bed-1." in ended.output
    assert "depth 3 by /opt/ml/.environment" in ended.output


def test_a_package_that_is_nowhere_is_named(run_in: Callable[..., Any]) -> None:
    ended = run_in("no-such-package==9\n")
    assert ended.code == 1
    assert (ended.root / "output" / "failure").read_text() == (
        "the packages of /opt/ml/code/requirements.txt could not be installed: Could not find a version that satisfies "
        "the requirement no-such-package==9 (from versions: none) No matching distribution found for "
        "no-such-package==9"
    )
    with pytest.raises(ScriptFailed, match="no-such-package==9 can't be installed: Could not find a version"):
        run_in("no-such-package==9\n", network=False)
    with pytest.raises(ScriptFailed, match="has more than names and versions of packages"):
        run_in("-e .\n", network=False)


def test_a_source_that_is_a_package_is_installed(run: Callable[..., Any], wheel: Path) -> None:
    project = '[project]\nname = "mine"\nversion = "1"\n'
    ended = run(
        {"train.py": "import sys\nprint(sys.argv)", "pyproject.toml": project, "setup.py": "raise SystemExit(3)"}
    )
    assert ended.code == 1
    assert (
        (ended.root / "output" / "failure")
        .read_text()
        .startswith("the packages of /opt/ml/code could not be installed: ")
    )


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        ("b>=1\n\n# none\nA[x]==2 # why\n", ["A[x]==2", "b>=1"]),
        ("a \\\n >= 1", ["a>=1"]),
        ("", []),
        ("-r other.txt", None),
        ("a @ https://example.com/a.whl", None),
        ("./folder", None),
        ("a --hash=sha256:00", None),
    ],
)
def test_requirements_that_name_packages_only(tmp_path: Path, text: str, packages: list[str] | None) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(text)
    assert plain(path) == packages
