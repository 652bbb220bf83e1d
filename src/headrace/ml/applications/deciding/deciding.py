"""Reading a run's folder, deciding anew, and saying what changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.applications.deciding.request import Request
from headrace.ml.contract import Task
from headrace.ml.errors import NotBuiltError, OptionError, SourceError
from headrace.ml.process.business_goals.evidence import Evidence
from headrace.ml.report.files import load_report

Document = Mapping[str, Any]


def decide(out: str | Path, request: Request | None = None, *, write: bool = False) -> dict[str, Any]:
    """Decide anew from the folder that a run left, in a fraction of a second: nothing is trained.

    Returns {out, task, decision, was, reasons, …}: for yes/no decisions threshold, expected_value, share, confusion
    (each measured on the test part at the threshold, which is chosen on held-out rows), against_earlier, kpis, limits,
    curve and candidates; for several classes expected_value (with the confusion) of deciding for the class of least
    expected cost, on the test part and `held_out`; for predicted numbers the shift that costs the least. With `write`
    the model, report.json, report.html and predictions.csv follow the decision, and the earlier one is kept in
    report.json's history. Raises `SourceError` for a folder that no run left, and `OptionError` for what cannot be.
    """
    folder, request = Path(out).expanduser(), request or Request()
    if not folder.is_dir():
        raise SourceError(f"{folder} is no folder; give the folder that a run left")
    document = load_report(folder)
    task = str(document["task"])
    if task not in (Task.BINARY, Task.MULTICLASS, Task.REGRESSION):
        raise NotBuiltError(
            f"{folder} holds a {task.replace('_', ' ')} task, where no decision or unit of error has a price; decide "
            "works for yes/no decisions, several classes and predicted numbers"
        )
    evidence = Evidence.read(folder)
    if not _fits(task, document, evidence):
        raise SourceError(f"{folder} holds the evidence of another task than {task}; run headrace again")
    if task == Task.REGRESSION and write:
        raise OptionError(
            "--write changes the threshold of yes/no decisions; a shift of predicted numbers is added where they are "
            "used, so leave --write out"
        )
    if task == Task.MULTICLASS and write:
        raise OptionError(
            "--write changes the threshold of yes/no decisions, and a model of several classes has none: decide for "
            "the class of least expected cost from its probabilities, and leave --write out"
        )
    try:
        found = {"out": str(folder)} | _decided(task, document, evidence, request)
    except (KeyError, TypeError, AttributeError, IndexError) as error:  # a damaged document breaks in any place
        raise SourceError(
            f"{folder / 'report.json'} is damaged: nothing can be decided from it ({type(error).__name__}: {error}); "
            "run headrace again"
        ) from error
    if write:
        from headrace.ml.applications.deciding.writing import write_decision

        write_decision(folder, document, evidence, found, request)
    return found


def _decided(task: str, document: Document, evidence: Evidence, request: Request) -> dict[str, Any]:
    if task == Task.REGRESSION:
        from headrace.ml.applications.deciding.numbers import decide_numbers

        return decide_numbers(document, evidence, request)
    if task == Task.MULTICLASS:
        from headrace.ml.applications.deciding.classes import decide_classes

        return decide_classes(document, evidence, request)
    from headrace.ml.applications.deciding.yes_no import decide_yes_no

    return decide_yes_no(document, evidence, request)


def _fits(task: str, document: Document, evidence: Evidence) -> bool:
    """Whether the evidence has the shape that the task needs."""
    parts = (evidence.held_out, evidence.test)
    if task == Task.MULTICLASS:
        classes = len(document.get("steps", {}).get("problem_framing", {}).get("classes") or ()) or parts[1].shape[-1]
        targets = (evidence.held_out_target, evidence.test_target)
        return all(part.shape[1:] == (classes,) for part in parts) and all(t.max() < classes for t in targets)
    single = all(part.ndim == 1 for part in parts)
    return single and (task == Task.REGRESSION or bool(np.isin(evidence.test_target, (0, 1)).all()))
