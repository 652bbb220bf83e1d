"""A folder that an analysis finds as /opt/ml."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.server.containers.model_monitor import Analysis, analyze

INPUT, OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Analysis]:
    """Return what analyses files (by name) of a dataset_format."""

    def execute(form: Any, files: dict[str, bytes | str], **variables: str) -> Analysis:
        folder = tmp_path / "processing" / "input"
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, content in files.items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        shown = form if isinstance(form, str) else json.dumps(form)
        given = {"dataset_format": shown, "dataset_source": INPUT, "output_path": OUTPUT}
        return analyze(given | variables, tmp_path)

    return execute


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Any]:
    """Return what reads a result."""
    return lambda name: json.loads((tmp_path / "processing" / "output" / f"{name}.json").read_text())


@pytest.fixture
def against(tmp_path: Path, run: Callable[..., Analysis], read: Callable[[str], Any]) -> Callable[..., Any]:
    """Return what makes a baseline of a CSV table, analyses other files against it, and returns the violations.

    `change` may change the baseline's constraints.
    """

    def execute(
        baseline: str,
        form: Any,
        files: dict[str, bytes | str],
        change: Callable[[Any], None] = lambda _: None,
        **variables: str,
    ) -> list[dict[str, str]]:
        run({"csv": {"header": True}}, {"train.csv": baseline})
        constraints, statistics = read("constraints"), read("statistics")
        change(constraints)
        folder = tmp_path / "processing" / "baseline"
        folder.mkdir(exist_ok=True)
        (folder / "constraints.json").write_text(json.dumps(constraints))
        (folder / "statistics.json").write_text(json.dumps(statistics))
        place = "/opt/ml/processing/baseline"
        files_of_baseline = {
            "baseline_constraints": f"{place}/constraints.json", "baseline_statistics": f"{place}/statistics.json",
        }  # fmt: skip
        run(form, files, **files_of_baseline, **variables)
        found: list[dict[str, str]] = read("constraint_violations")["violations"]
        return found

    return execute


@pytest.fixture
def line() -> Callable[..., str]:
    """Return what makes a line of captured data: an invocation's input and output."""

    def make(given: str, answer: str, encoding: str = "CSV", kind: str = "text/csv") -> str:
        sides = {
            "endpointInput": {"observedContentType": kind, "mode": "INPUT", "data": given, "encoding": encoding},
            "endpointOutput": {"observedContentType": kind, "mode": "OUTPUT", "data": answer, "encoding": encoding},
        }
        return json.dumps({"captureData": sides, "eventMetadata": {"eventId": "1"}, "eventVersion": "0"}) + "\n"

    return make
