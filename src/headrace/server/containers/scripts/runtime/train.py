"""Runs a training job's script as AWS's training toolkit does, and tells why it failed."""

import collections
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from pathlib import Path
from typing import Any

from . import packages, settings

LONGEST = 900


def main() -> None:
    """Prepare the source and run its entry point; end with its exit code."""
    told = settings.take()
    if "command" in told:
        try:
            os.execvp(told["command"][0], told["command"])  # noqa: S606
        except OSError as error:
            sys.exit(f"{told['command'][0]} can't be run: {error.strerror}")
    failure = Path(told["failure"])
    code = Path(told["code"])
    try:
        command = _prepared(told, code)
    except (OSError, RuntimeError, tarfile.TarError) as error:
        failure.write_text(str(error)[:LONGEST])
        sys.exit(str(error))
    sys.exit(_run(command, code, failure))


def _prepared(told: dict[str, Any], code: Path) -> list[str]:
    """Return the command of an entry point, once its source and its packages are there."""
    if told.get("source"):
        _unpack(Path(told["source"]), code)
    program = told["program"]
    if told["install"] or (told.get("source") and (code / "requirements.txt").is_file()):
        packages.install("--requirement", str(code / "requirements.txt"))
    own = [*told["arguments"]]
    shell = ["/bin/sh", "-c", shlex.join([f"./{program}", *own])]
    if program.endswith(".sh") and (code / program).is_file():
        (code / program).chmod(0o755)
        return shell
    if packages.is_package(code):
        packages.install(str(code))
        return [sys.executable, "-m", program.removesuffix(".py").replace("/", "."), *own]
    if not (code / program).is_file():
        found = ", ".join(sorted(path.name for path in code.iterdir())) or "nothing"
        raise RuntimeError(f"the entry point {program} is not in the source, which holds {found}")
    if program.endswith(".py"):
        return [sys.executable, program, *own]
    (code / program).chmod(0o755)
    return shell


def _unpack(source: Path, code: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, code, dirs_exist_ok=True)
        return
    with tarfile.open(source) as archive:
        archive.extractall(code, filter="data")


def _run(command: list[str], code: Path, failure: Path) -> int:
    """Run the script; where it fails, leave the end of what it said in the failure file, unless it did itself."""
    spoken = shlex.join(command)
    sys.stdout.write(f"Invoking script with the following command:\n\n{spoken}\n\n")
    sys.stdout.flush()
    found = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(code), os.environ.get("PYTHONPATH")]))}
    signal.signal(signal.SIGTERM, lambda *_: None)
    process = subprocess.Popen(  # noqa: S603
        command, cwd=code, env=found, stderr=subprocess.PIPE
    )
    last: collections.deque[bytes] = collections.deque(maxlen=20)
    reader = threading.Thread(target=_pass_on, args=(process, last), daemon=True)
    reader.start()
    exit_code = process.wait()
    reader.join(5)
    exit_code = 128 - exit_code if exit_code < 0 else exit_code
    if exit_code and not (failure.exists() and failure.stat().st_size):
        said = b"".join(last).decode(errors="replace").strip()[-LONGEST // 2 :]
        message = f'ExecuteUserScriptError:\nExitCode {exit_code}\nErrorMessage "{said}"\nCommand "{spoken}"'
        failure.write_text(message[:LONGEST])
    return exit_code


def _pass_on(process: "subprocess.Popen[bytes]", last: "collections.deque[bytes]") -> None:
    assert process.stderr is not None
    for line in process.stderr:
        last.append(line)
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
