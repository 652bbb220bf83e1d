"""Writing the report whole or not at all, and reading it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headrace.ml.errors import OutputError, SourceError
from headrace.ml.report import load_report, render_html, render_report, write_report


def test_what_is_written_is_read_back_and_renders_the_same(make_document: Any, tmp_path: Path) -> None:
    document = make_document("regression")
    write_report(tmp_path / "out", document)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["report.html", "report.json"]
    assert load_report(tmp_path / "out") == load_report(tmp_path / "out" / "report.json") == document
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8") == render_html(document)


def test_unwritable_folder_is_one_sentence(make_document: Any, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(OutputError, match=r"report\.json cannot be written .*choose another --out"):
        write_report(tmp_path / "out", make_document())
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("[1]", "no schema_version"),
        ('{"schema_version": 1}', "no schema_version"),
        ('{"schema_version": "2.0"}', "schema version 2.0 and this Headrace reads 1.0"),
        ('{"schema_version": "1.0"}', "'task' is missing"),
    ],
)
def test_damaged_or_foreign_reports_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(SourceError, match=said):
        load_report(tmp_path)


def test_newer_minor_versions_are_read(make_document: Any, tmp_path: Path) -> None:
    document = make_document() | {"schema_version": "1.7", "added_later": True}
    (tmp_path / "report.json").write_text(json.dumps(document))
    assert load_report(tmp_path)["added_later"] is True


def test_absent_report_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"report\.json cannot be read"):
        load_report(tmp_path / "report.json")


@pytest.mark.parametrize("key", ["steps", "metrics", "business"])
def test_a_report_whose_parts_are_no_facts_cannot_be_shown_and_it_is_said(
    make_document: Any, tmp_path: Path, key: str
) -> None:
    write_report(tmp_path, make_document())
    before = (tmp_path / "report.html").read_bytes()
    (tmp_path / "report.json").write_text(json.dumps(make_document() | {key: "x"}), encoding="utf-8")
    with pytest.raises(SourceError, match="is damaged: it cannot be shown"):
        render_report(tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before


def test_it_is_rendered_anew_from_the_folder_or_the_file(make_document: Any, tmp_path: Path) -> None:
    write_report(tmp_path, make_document())
    before = (tmp_path / "report.html").read_bytes()
    for given in (tmp_path, tmp_path / "report.json"):
        (tmp_path / "report.html").unlink()
        assert render_report(given).read_bytes() == before
