"""Writing a model folder: whole or not at all."""

import hashlib
import json
import resource
import subprocess
import sys

import pytest

from headrace.ml.compiler import compile_model, write_model
from headrace.ml.contract import Task
from headrace.ml.errors import OutputError
from headrace.ml.prediction import load
from headrace.ml.prediction.manifest import Manifest
from headrace.version import __version__

CLASSES = ("no", "yes")


@pytest.fixture
def compiled(small_plan, members, manifest):
    plan = small_plan()
    proto = compile_model(plan, members(2), Task.BINARY, CLASSES, 0.4)
    return proto, manifest(proto, plan, Task.BINARY, CLASSES, threshold=0.4)


def test_a_written_model_loads_and_its_files_are_recorded(compiled, tmp_path, frame):
    proto, description = compiled
    folder = tmp_path / "new" / "model"
    written = write_model(folder, proto, description, None)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "model.onnx"]
    assert written == Manifest.read(folder)
    assert written.headrace_version == __version__
    content = (folder / "model.onnx").read_bytes()
    assert written.files["model.onnx"].sha256 == hashlib.sha256(content).hexdigest()
    assert written.files["model.onnx"].size == len(content)
    assert load(folder).predict_frame(frame).shape == (5, 2)
    assert list(tmp_path.iterdir()) == [tmp_path / "new"]
    assert list((tmp_path / "new").iterdir()) == [folder]


def test_the_same_model_is_written_as_the_same_bytes(compiled, tmp_path):
    for name in ("one", "two"):
        write_model(tmp_path / name, *compiled, None)
    for file in ("model.onnx", "manifest.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_folder_in_the_way_is_left_alone(compiled, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").write_text("mine")
    with pytest.raises(OutputError, match="in the way"):
        write_model(tmp_path / "model", *compiled, None)
    assert (tmp_path / "model" / "mine").read_text() == "mine"


def test_a_parent_that_is_a_file_is_one_sentence(compiled, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_model(tmp_path / "file" / "model", *compiled, None)


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs POSIX file size limits")
def test_a_disk_that_fills_up_leaves_nothing(compiled, tmp_path):
    """A file size limit makes the same write fail in the middle, as a full disk does."""
    proto, description = compiled
    (tmp_path / "graph.onnx").write_bytes(proto.SerializeToString())
    (tmp_path / "manifest.txt").write_text(description.to_json())
    script = """
import json, resource, signal, sys
from pathlib import Path
import onnx
from headrace.ml.compiler import write_model
from headrace.ml.errors import OutputError
from headrace.ml.prediction.manifest import parse_manifest
here = Path(sys.argv[1])
proto = onnx.load(here / "graph.onnx")
document = json.loads((here / "manifest.txt").read_text())
document["files"] = {"model.onnx": {"sha256": "", "size": 0}}
manifest = parse_manifest(document)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    write_model(here / "out" / "model", proto, manifest, None)
except OutputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "cannot be written (File too large); free space or choose another folder" in done.stdout
    assert list((tmp_path / "out").iterdir()) == []
    assert json.loads((tmp_path / "manifest.txt").read_text())["task"] == "binary"
