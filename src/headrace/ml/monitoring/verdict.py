"""Whether to retrain, and why: the findings weighed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from headrace.ml.monitoring.findings import Finding, Level

FEW_ROWS = 30


class Verdict(StrEnum):
    """What to do with the model."""

    KEEP = "keep"
    WATCH = "watch"
    REPAIR = "repair"
    RETRAIN = "retrain"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Judgement:
    """The verdict, its reasons and what to do next, a sentence each."""

    verdict: Verdict
    reasons: tuple[str, ...]
    advice: tuple[str, ...]


def judge(findings: Sequence[Finding], rows: int, *, labelled: bool, estimated: bool) -> Judgement:
    """Weigh the findings: broken data first, then a performance that fell, then drift alone."""
    broken = [finding for finding in findings if finding.level is Level.BROKEN]
    drifted = [finding for finding in findings if finding.level is Level.DRIFT]
    fell = [finding for finding in drifted if finding.kind in ("performance", "estimate")]
    if broken:
        return Judgement(
            Verdict.REPAIR,
            tuple(finding.sentence for finding in (*broken, *fell)),
            (
                f"Repair the source of {_columns(broken)}: these data are not what the model was trained on.",
                "Monitor the repaired rows again, and do not train on these.",
            ),
        )
    if fell:
        measured = fell[0].kind == "performance"
        first = (
            "Train again with headrace run, with these rows among the training rows."
            if measured
            else "Get the true values of some hundred of these rows and monitor them with --target, which measures it."
        )
        second = "Compare the new model with this one on the newest rows before it takes over."
        return Judgement(Verdict.RETRAIN, tuple(finding.sentence for finding in (*fell, *_others(drifted, fell))), (
            first, second if measured else "Train again when that confirms it."))  # fmt: skip
    if drifted:
        known = (
            "its measured performance holds" if labelled
            else "the performance estimated from its predictions holds" if estimated
            else "what that did to the performance is not known"
        )  # fmt: skip
        advice = [f"No need to train again yet: the rows changed, and {known}."]
        if not labelled:
            advice = ["Get the true values of some of these rows and monitor with --target: an estimate sees no change "
                      "of what the columns mean for the target."]  # fmt: skip
        label_shift = any(finding.kind == "target" for finding in drifted)
        if label_shift:
            advice.append("The target itself became more or less frequent: review the threshold that decides.")
        advice.append(f"Find out why {_columns(drifted)} moved, and plan training on newer rows.")
        return Judgement(Verdict.WATCH, tuple(finding.sentence for finding in drifted), tuple(advice))
    if rows < FEW_ROWS:
        return Judgement(
            Verdict.UNKNOWN,
            (f"{rows} rows are too few to tell drift from chance.",),
            (f"Collect at least {FEW_ROWS}, better some hundred rows, and monitor those.",),
        )
    return Judgement(
        Verdict.KEEP,
        ("Nothing changed more than chance explains and enough to matter.",),
        ("Keep the model, and monitor the next rows.",),
    )


def _others(drifted: Sequence[Finding], fell: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in drifted if finding not in fell]


def _columns(findings: Sequence[Finding]) -> str:
    names = list(dict.fromkeys(finding.column for finding in findings if finding.column))
    if not names:
        return "the predictions"
    listed = ", ".join(f"'{name}'" for name in names[:4])
    return listed + (f" and {len(names) - 4} more" if names[4:] else "")
