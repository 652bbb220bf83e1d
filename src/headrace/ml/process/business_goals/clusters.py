"""Step 9 of clustering: whether there are clusters, and whether they hold on other rows."""

from __future__ import annotations

from headrace.ml.process.business_goals import BusinessGoals
from headrace.ml.process.business_goals.findings import AGAINST, CONDITION, FAVOUR, Findings
from headrace.ml.process.business_goals.unlabelled import weigh_findings
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.evaluation.clusters import ClusterEvaluation
from headrace.ml.process.training.clusters import Clustering

_STEADY, _SHAKY = 0.7, 0.5


def judge_clusters(
    business: BusinessProblem,
    training: Clustering,
    evaluation: ClusterEvaluation,
    *,
    tested: int,
    predict_microseconds: float,
) -> BusinessGoals:
    """Weigh the clusters: no-go where there are none, or where the test part does not show them too."""
    findings = Findings()
    if training.chosen is None:
        findings.add(AGAINST, "clusters", training.reason)
    else:
        findings.add(FAVOUR, "clusters", training.reason)
        _weigh_silhouette(findings, evaluation)
        _weigh_stability(findings, evaluation)
    advice = () if training.chosen else (
        "Leave out columns that do not matter (--exclude), or collect others that tell the rows apart.",
    )  # fmt: skip
    return weigh_findings(
        business, evaluation, findings, tested=tested, predict_microseconds=predict_microseconds, advice=advice
    )


def _weigh_silhouette(findings: Findings, evaluation: ClusterEvaluation) -> None:
    value, (low, high) = evaluation.metrics["test"]["silhouette"], evaluation.intervals["silhouette"]
    reference = evaluation.baseline["metrics"]["silhouette"]
    figures = (
        f"the silhouette on the test part is {value:.2f} (95 % interval {low:.2f} to {high:.2f}), and data of the same "
        f"spread without clusters reach {reference:.2f}"
    )
    if low > reference:
        findings.add(FAVOUR, "silhouette", f"The clusters show on rows they were not learnt from: {figures}.")
    elif value > reference:
        findings.add(CONDITION, "silhouette", f"Confirm the clusters on more rows: {figures}.")
    else:
        findings.add(AGAINST, "silhouette", f"The clusters do not show on rows they were not learnt from: {figures}.")


def _weigh_stability(findings: Findings, evaluation: ClusterEvaluation) -> None:
    value, (low, high) = evaluation.metrics["test"]["stability"], evaluation.intervals["stability"]
    figures = f"adjusted Rand {value:.2f}, 95 % of the resamples between {low:.2f} and {high:.2f}"
    if low >= _STEADY:
        findings.add(FAVOUR, "stability", f"Other rows give the same clusters ({figures}).")
    elif value >= _SHAKY:
        findings.add(
            CONDITION, "stability", f"Other rows give somewhat other clusters ({figures}): heed their borders."
        )
    else:
        findings.add(AGAINST, "stability", f"Other rows give other clusters ({figures}).")
