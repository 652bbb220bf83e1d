"""Step 9 of anomaly detection: whether the scores mean something, and whether the alerts can be dealt with."""

from __future__ import annotations

from headrace.ml.process.business_goals import BusinessGoals
from headrace.ml.process.business_goals.findings import AGAINST, CONDITION, FAVOUR, Findings
from headrace.ml.process.business_goals.unlabelled import weigh_findings
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.evaluation.anomalies import AnomalyEvaluation
from headrace.ml.process.training.anomalies import AnomalyDetection

_STEADY = 0.7


def judge_anomalies(
    business: BusinessProblem,
    training: AnomalyDetection,
    evaluation: AnomalyEvaluation,
    *,
    tested: int,
    predict_microseconds: float,
) -> BusinessGoals:
    """Weigh the detector against the z-score and chance; without a label, going on needs people who look at alerts."""
    findings = Findings()
    key = "label_auc" if "label_auc" in evaluation.metrics["test"] else "planted_auc"
    value, (low, high) = evaluation.metrics["test"][key], evaluation.intervals[key]
    simple = evaluation.baseline["metrics"][key]
    what = "labelled anomalies" if key == "label_auc" else "planted anomalies"
    figures = (
        f"its AUC on {what} of the test part is {value:.3f} (95 % interval {low:.3f} to {high:.3f}), that of the "
        f"largest z-score {simple:.3f}"
    )
    if low <= 0.5:
        findings.add(AGAINST, "score", f"The score cannot be told from chance: {figures}.")
    elif value < simple:
        findings.add(CONDITION, "score", f"A plain z-score does as well or better: {figures}.")
    else:
        findings.add(FAVOUR, "score", f"The score means something: {figures}.")
    steady = evaluation.metrics["test"]["stability"]
    said = f"learnt from other rows, its scores agree by {steady:.2f} (rank correlation)"
    findings.add(
        FAVOUR if steady >= _STEADY else CONDITION,
        "stability",
        f"It is steady: {said}." if steady >= _STEADY else f"Do not trust single scores: {said}.",
    )
    share, (least, most) = evaluation.flagged["test"], (evaluation.flagged["low"], evaluation.flagged["high"])
    called = f"{share:.1%} of the test rows are called anomalies (95 % interval {least:.1%} to {most:.1%})"
    if least <= training.contamination <= most:
        findings.add(FAVOUR, "alerts", f"The alerts are as many as asked for: {called}.")
    else:
        findings.add(
            CONDITION, "alerts", f"{called}, where {training.contamination:.1%} was asked for: the newest rows differ."
        )
    if key == "planted_auc":
        findings.add(
            CONDITION,
            "label",
            "Look at the strangest rows first: whether what is strange is also wrong, no figure says without labels.",
        )
    advice = ("Keep what people say of each alert as a column, and pass it with --target to measure by it.",)
    return weigh_findings(
        business, evaluation, findings, tested=tested, predict_microseconds=predict_microseconds,
        advice=advice if key == "planted_auc" else (),
    )  # fmt: skip
