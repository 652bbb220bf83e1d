"""Ctrl-C in every step, kill -9, and a full disk: nothing is half-written, and a run can be resumed."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import Command


def stopped_at(churn_csv: Path, folder: Path, step: int, sent: signal.Signals) -> tuple[int, str]:
    """Start a run, send it a signal when it announces a step; return its exit code and what it said after that."""
    command = [sys.executable, "-c", "from headrace.cli import main; main()", "run", str(churn_csv)]
    with subprocess.Popen(
        [*command, "--target", "churn", "--trials", "3", "--out", "result"],
        cwd=folder, env=os.environ | {"XDG_STATE_HOME": str(folder / "state")}, text=True, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if f" {step}/9 " in line:
                process.send_signal(sent)
                break
        rest = process.stderr.read()
    return process.returncode, rest


def left_behind(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name != "state")


@pytest.mark.parametrize("step", range(1, 10))
def test_ctrl_c_in_every_step_leaves_nothing_and_says_how_to_resume(churn_csv: Path, tmp_path: Path, step: int) -> None:
    code, rest = stopped_at(churn_csv, tmp_path, step, signal.SIGINT)
    if code == 0:  # the last step may be over before the signal arrives
        assert step == 9
        assert left_behind(tmp_path) == ["result"]
        return
    assert code == 130, rest
    assert left_behind(tmp_path) == []
    assert "Traceback" not in rest
    assert re.search(r"headrace run --resume \d{8}-\d{6}-[0-9a-f]{6}", rest)


def test_an_interrupted_run_resumes_and_gives_the_same_result(
    churn_csv: Path, tmp_path: Path, headrace: Command
) -> None:
    code, message = stopped_at(churn_csv, tmp_path, 8, signal.SIGTERM)
    assert code == 130, message
    identifier = re.search(r"--resume (\S+)", message)
    assert identifier
    resumed = headrace("run", "--resume", identifier[1], "--out", "resumed", "-q")
    assert resumed.returncode == 0, resumed.stderr
    whole = headrace("run", churn_csv, "--target", "churn", "--trials", 3, "--out", "whole", "-q")
    assert whole.returncode == 0, whole.stderr
    assert (tmp_path / "resumed/predictions.csv").read_bytes() == (tmp_path / "whole/predictions.csv").read_bytes()
    assert not list((tmp_path / "state/headrace/runs").iterdir())


def killed_after(fits: int, churn_csv: Path, folder: Path) -> str:
    """Start a run, kill it when so many fits are done, and return its identifier."""
    command = [sys.executable, "-c", "from headrace.cli import main; main()", "run", str(churn_csv)]
    runs = folder / "state/headrace/runs"
    with subprocess.Popen(
        [*command, "--target", "churn", "--trials", "4", "--out", "result", "-q"],
        cwd=folder, env=os.environ | {"XDG_STATE_HOME": str(folder / "state")},
    ) as process:  # fmt: skip
        while process.poll() is None and len(list(runs.glob("*/workspace/fits/[!.]*/result.json"))) < fits:
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    return next(runs.iterdir()).name


def test_a_killed_run_resumes_with_its_fits_and_gives_the_same_result(
    churn_csv: Path, tmp_path: Path, headrace: Command
) -> None:
    identifier = killed_after(3, churn_csv, tmp_path)
    listing = headrace("run", "--resume", "list")
    assert listing.returncode == 2
    assert re.search(rf"there are: {identifier} \(churn\.csv, churn, [1-9]\d* fits kept\)", listing.stderr)
    resumed = headrace("run", "--resume", identifier)
    assert resumed.returncode == 0, resumed.stderr
    assert re.search(rf"Resuming {identifier}: churn\.csv, [1-9]\d* fits are kept", " ".join(resumed.stderr.split()))
    assert left_behind(tmp_path) == ["result"], "the results go where they were to go, and nothing half-written stays"
    whole = headrace("run", churn_csv, "--target", "churn", "--trials", 4, "--out", "whole", "-q")
    assert whole.returncode == 0, whole.stderr
    assert (tmp_path / "result/predictions.csv").read_bytes() == (tmp_path / "whole/predictions.csv").read_bytes()
    notes = json.loads((tmp_path / "result/report.json").read_text())["steps"]["training"]["notes"]
    kept, done = next(
        map(int, found.groups())
        for note in notes
        if (found := re.search(r"after an interruption: (\d+) fits were kept, (\d+) were done", note))
    )
    assert kept >= 3
    assert done > 0
    assert not list((tmp_path / "state/headrace/runs").iterdir())


@pytest.mark.parametrize("limit", [2_000, 60_000, 400_000])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(churn_csv: Path, tmp_path: Path, limit: int) -> None:
    """A file size limit is the disk that is full: every write past it fails."""
    result = subprocess.run(
        [sys.executable, "-c", "from headrace.cli import main; main()", "run", str(churn_csv), "--target", "churn",
         "--trials", "1", "--out", "result", "-q"],
        cwd=tmp_path, env=os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}, text=True, capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "disk is full" in result.stderr or "cannot be written" in result.stderr
    assert left_behind(tmp_path) == []


def test_an_unknown_run_cannot_be_resumed(headrace: Command) -> None:
    result = headrace("run", "--resume", "../../etc")
    assert result.returncode == 2
    assert "no run '../../etc'" in result.stderr
