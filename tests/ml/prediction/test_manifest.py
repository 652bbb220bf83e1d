"""The manifest: written whole, read strictly."""

import json
from dataclasses import replace

import pytest

from headrace.ml.errors import ModelError, OutputError
from headrace.ml.prediction.manifest import FORMAT_VERSION, Manifest, read_json, write_text
from headrace.ml.tables.columns import ColumnKind


def edit(folder, **changes):
    path = folder / "manifest.json"
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not ...}))


def test_what_is_written_is_what_is_read(folder):
    manifest = Manifest.read(folder)
    assert manifest.columns[0].missing == ("n/a",)
    assert manifest.columns[1].kind is ColumnKind.DATE
    assert manifest.columns[1].date_formats == ("%Y-%m-%d",)
    assert manifest.threshold == 0.6
    changed = replace(manifest, metrics={"test": {"f1": 0.5}}, provenance={"source": "später.csv"})
    changed.write(folder)
    assert Manifest.read(folder) == changed
    assert [path.name for path in sorted(folder.iterdir())] == ["baseline.json", "manifest.json", "model.onnx"]


def test_the_text_begins_with_the_format_and_names_every_input_flat(folder):
    document = json.loads((folder / "manifest.json").read_text())
    assert list(document)[:2] == ["format_version", "headrace_version"]
    assert document["inputs"][0] | {"affixes": []} == {
        "name": "age", "kind": "number", "missing": ["n/a"], "decimal": ".", "thousands": ",", "affixes": [],
        "date_formats": [], "words": False, "shape": [], "required": True,
    }  # fmt: skip


def test_a_newer_format_is_named_as_such(folder):
    edit(folder, format_version=FORMAT_VERSION + 1, headrace_version="9.1", something_new={})
    with pytest.raises(ModelError, match=r"made by a newer Headrace \(9\.1, model format 3"):
        Manifest.read(folder)


@pytest.mark.parametrize("version", [0, -1, "1", True, None, 1.5, ...])
def test_a_format_that_cannot_be_is_refused(folder, version):
    edit(folder, format_version=version)
    with pytest.raises(ModelError, match="no valid format_version"):
        Manifest.read(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"task": "astrology"}, "astrology"),
        ({"task": ...}, "'task' is missing"),
        ({"inputs": ...}, "'inputs' is missing"),
        ({"inputs": [{"name": "a"}]}, "'kind' is missing"),
        ({"inputs": [{"name": "a", "kind": "number", "colour": "red"}]}, "unknown key 'colour'"),
        ({"inputs": [{"name": "a", "kind": "number"}, {"name": "a", "kind": "text"}]}, "an input is listed twice"),
        ({"inputs": 5}, "not iterable"),
        ({"outputs": [{"name": "prediction"}]}, "'kind' is missing"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"files": {}}, "no checksum of model.onnx"),
        ({"files": {"model.onnx": {"sha256": ""}}}, "'size' is missing"),
        ({"threshold": "high"}, "could not convert"),
        ({"classes": ["no"]}, "classes .* for binary"),
        ({"classes": ["no", "no"]}, "classes .* for binary"),
        ({"task": "multiclass", "classes": []}, "classes .* for multiclass"),
        ({"task": "regression"}, "2 classes for regression"),
    ],
)
def test_damage_is_one_sentence_with_its_reason(folder, changes, reason):
    edit(folder, **changes)
    with pytest.raises(ModelError, match=f"is damaged .*{reason}"):
        Manifest.read(folder)


@pytest.mark.parametrize(
    "name", ["../model.onnx", "/etc/passwd", "a/../../b", "..", "", ".", "C:\\x", "..\\x", "manifest.json"]
)
def test_a_file_outside_of_the_folder_is_refused(folder, name):
    record = {"sha256": "0" * 64, "size": 1}
    edit(folder, files={"model.onnx": record, name: record})
    with pytest.raises(ModelError, match="points outside"):
        Manifest.read(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", "[" * 100_000])
def test_what_is_no_json_object_is_damaged(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match="is damaged"):
        Manifest.read(tmp_path)


def test_bytes_that_are_no_text_are_damaged(tmp_path):
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(ModelError, match="is damaged"):
        read_json(tmp_path / "manifest.json")


def test_no_folder_and_no_manifest_are_told_apart(tmp_path):
    with pytest.raises(ModelError, match="the folder does not exist"):
        Manifest.read(tmp_path / "absent")
    with pytest.raises(ModelError, match=r"it has no manifest\.json"):
        Manifest.read(tmp_path)
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(ModelError, match="cannot be read"):
        Manifest.read(tmp_path)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "absent" / "file", "text")


def test_numbers_that_json_cannot_hold_are_not_written(folder):
    with pytest.raises(ValueError, match="JSON compliant"):
        replace(Manifest.read(folder), metrics={"test": {"r2": float("nan")}}).write(folder)
