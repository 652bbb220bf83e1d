"""Environments are made once, whole or not at all, however many want them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from headrace.server.containers.scripts import ScriptFailed
from headrace.server.containers.scripts.environments import framework_of, layer, made_once, prepare
from headrace.server.containers.scripts.installing import available

NOWHERE = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": ""}


def test_one_makes_it_and_the_others_wait(tmp_path: Path) -> None:
    place, made, went_on = tmp_path / "made", [], threading.Event()

    def want() -> None:
        with made_once(place) as new:
            if new:
                made.append(new)
                (new / "bin").mkdir(parents=True)
                (new / "bin" / "tool").write_text(f"#!{new}/bin/python\n")
                went_on.wait(10)

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    while not made:
        assert any(thread.is_alive() for thread in threads)
    assert not place.exists()
    went_on.set()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert (place / "bin" / "tool").read_text() == f"#!{place}/bin/python\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "made.lock"]


def test_what_fails_leaves_nothing_and_what_was_left_goes(tmp_path: Path) -> None:
    place = tmp_path / "made"
    (tmp_path / "made.0.new" / "bin").mkdir(parents=True)
    with pytest.raises(ScriptFailed, match="no luck"), made_once(place) as new:
        assert new
        new.mkdir()
        raise ScriptFailed("no luck")
    assert [path.name for path in tmp_path.iterdir()] == ["made.lock"]


def test_a_layer_has_the_packages_and_programs_below_it(
    own_version: Callable[[str], str], environments: Path, tmp_path: Path
) -> None:
    below = prepare(own_version("scikit-learn"), environments, print)
    program = below.folder / "bin" / "tests-tool"
    program.write_text(f"#!{below.folder}/bin/python\nimport sklearn, sys\nprint(sys.prefix, sys.argv[1:])\n")
    try:
        made = layer(tmp_path / "layer", below)
    finally:
        program.unlink()
    said = subprocess.run([made.folder / "bin" / "tests-tool", "a b"], capture_output=True, text=True, check=True)
    assert said.stdout == f"{made.folder} ['a b']\n"
    assert not (made.packages / "sklearn").exists()


def test_an_installer_ends_with_who_waits_for_it(tmp_path: Path) -> None:
    program = f"""
from headrace.server.containers.scripts.installing import run
run(["sh", "-c", "echo $$ > {tmp_path}/started.new && mv {tmp_path}/started.new {tmp_path}/started && exec sleep 617"])
"""
    waiting = subprocess.Popen([sys.executable, "-c", program])
    while not (tmp_path / "started").exists():
        assert waiting.poll() is None
    installer = psutil.Process(int((tmp_path / "started").read_text()))
    os.kill(waiting.pid, signal.SIGKILL)
    waiting.wait()
    assert installer.wait(10) is None or not installer.is_running()


def test_an_index_that_can_not_be_reached_is_no_index_without_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ScriptFailed, match=r"torch can't be installed: the package index can't be reached \(.*refused"):
        available(Path(sys.executable), "torch")


@pytest.mark.parametrize("repository", ["mxnet-training:1.9", "huggingface-vllm:1", "djl-inference:0.27"])
def test_frameworks_that_are_not_here_are_refused_with_those_that_are(repository: str) -> None:
    image = f"763104351884.dkr.ecr.us-east-1.amazonaws.com/{repository}"
    with pytest.raises(ScriptFailed) as refused:
        framework_of(image)
    assert str(refused.value) == (
        f"scripts can't run in image {image}; the images that can are those of scikit-learn, XGBoost, PyTorch, "
        "TensorFlow, Python"
    )
