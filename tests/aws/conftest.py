"""botocore's own test cases, from the source distribution of the installed version."""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import botocore
import platformdirs
import pytest

UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|Name or service not known|"
    r"Temporary failure in name resolution|Network is unreachable|Connection (?:refused|broken|reset)|timed out|"
    r"HTTP error 5\d\d|\b5\d\d (?:Server )?Error",
    re.IGNORECASE,
)


@pytest.fixture(scope="session")
def botocore_sdist() -> Path:
    """Return the extracted source distribution (its `tests/unit`) of the installed botocore, fetched once with pip.

    It is kept in the user's cache folder; the tests are skipped only when the registry can't be reached.
    """
    name = f"botocore-{botocore.__version__}"
    folder = Path(platformdirs.user_cache_dir("headrace")) / "sdists"
    extracted = folder / name
    if not extracted.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            unpack(download(botocore.__version__, Path(work)), Path(work) / "out")
            try:
                (Path(work) / "out" / name).rename(extracted)
            except OSError:
                assert extracted.is_dir(), "another test process put it there meanwhile"
    return extracted


def download(version: str, folder: Path) -> Path:
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "botocore", "--disable-pip-version-check",
        f"botocore=={version}", "--dest", str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:]
        if UNREACHABLE.search(said):
            pytest.skip(
                f"the package registry can't be reached, so botocore's own cases can't be fetched: {said[-300:]}"
            )
        pytest.fail(f"pip could not fetch botocore {version}: {said}")
    return next(folder.glob("botocore-*.tar.gz"))


def unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as members:
        for member in members:
            parts = Path(member.name).parts
            if member.isfile() and parts[1:3] == ("tests", "unit") and ".." not in parts:
                target = folder.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                content = members.extractfile(member)
                assert content is not None
                with content, target.open("wb") as out:
                    shutil.copyfileobj(content, out)
