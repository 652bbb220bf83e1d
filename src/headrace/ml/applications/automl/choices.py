"""What a run decided, on which data, and by which figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.ml.applications.automl.options import Options
from headrace.ml.metrics import METRICS, find_metric
from headrace.ml.process.business_goals import Threshold
from headrace.ml.process.datasets import Dataset
from headrace.ml.process.feature_engineering import FeatureEngineering
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.training import Training

LABELS_UNSEEN = "values of the columns, no labels"
USER = "none: asked for"


@dataclass(frozen=True)
class Choice:
    """One choice: of `what`, the option `chosen`, made on `data`, by `evidence`. The test part is never among it."""

    what: str
    chosen: str
    data: str
    evidence: str


def choices_of(steps: Mapping[str, Any], threshold: Threshold | None, options: Options) -> tuple[Choice, ...]:
    """List the choices of a supervised run from the records of its steps, in the order in which they were made."""
    framing: ProblemFraming = steps["problem_framing"]
    dataset: Dataset = steps["datasets"]
    preparation: Preparation = steps["preparation"]
    training: Training = steps["training"]
    return (
        *_problem(framing, options),
        *_columns(dataset, preparation),
        *_rows(preparation, options),
        *_features(steps["feature_engineering"], preparation),
        *_models(training, framing),
        *_corrections(training, threshold, options),
    )


def _problem(framing: ProblemFraming, options: Options) -> Iterator[Choice]:
    counted = "target column: how many labels there are of which kind"
    yield Choice("task", framing.task.value, USER if options.task else counted, " ".join(framing.evidence))
    title = find_metric(framing.metric, framing.task).title
    how = (
        "asked for with --metric" if options.metric else f"the usual metric for {framing.task.value} targets like this"
    )
    yield Choice("metric", title, USER if options.metric else counted, how)


def _columns(dataset: Dataset, preparation: Preparation) -> Iterator[Choice]:
    learning = _learning(preparation)
    scored = {leak.column: leak for leak in dataset.leaks}
    for name, reason in dataset.excluded.items():
        leak = scored.get(name)
        data = learning if leak else USER if reason.startswith("excluded by") else LABELS_UNSEEN
        evidence = reason
        if leak and leak.score is not None and leak.score_without is not None:
            title = METRICS[leak.metric].title
            evidence += f"; {title} of a quick model {leak.score:.4g} with it, {leak.score_without:.4g} without"
        yield Choice(f"column '{name}'", "not learnt from", data, evidence)
    for name, reason in preparation.dropped.items():
        yield Choice(f"column '{name}'", "not learnt from", LABELS_UNSEEN, reason)


def _learning(preparation: Preparation) -> str:
    rows = len(preparation.train) + len(preparation.validation)
    return f"training and validation part ({rows:,} rows)"


def _rows(preparation: Preparation, options: Options) -> Iterator[Choice]:
    data = f"none: drawn by the seed {options.seed}" if options.time is None else "the time column"
    yield Choice("split", preparation.split, data, "made before any label but those it is balanced by is looked at")
    yield Choice("folds", f"{len(preparation.folds)}", "number of rows and columns", preparation.fold_plan)
    scores = "; ".join(f"{name} {score:.4g}" for name, score in preparation.imputation_scores.items())
    measured = f" ({preparation.imputation_measure}: {scores})" if scores else ""
    yield Choice(
        "imputation",
        preparation.imputation + (" with indicators" if preparation.indicators else ""),
        f"training part ({len(preparation.train):,} rows)",
        preparation.imputation_reason + measured,
    )


def _features(engineering: FeatureEngineering, preparation: Preparation) -> Iterator[Choice]:
    for feature in engineering.features:
        if feature.gain is not None:
            kept = "kept" if feature.kept else "left out"
            data = f"folds of the training part ({len(preparation.train):,} rows)"
            yield Choice(f"features: {feature.name}", kept, data, feature.reason)


def _models(training: Training, framing: ProblemFraming) -> Iterator[Choice]:
    metric = find_metric(framing.metric, framing.task)
    held = f"held-out rows ({len(training.held_out_rows):,}), each predicted by models that did not see it"
    scored = [candidate for candidate in training.candidates if candidate.score is not None]
    ranked = sorted(scored, key=lambda each: (each.score or 0.0) * (-1 if metric.greater_is_better else 1))
    if ranked:
        shown = ", ".join(f"{each.name} {each.score:.5g}" for each in ranked[:5])
        fitted = f"{metric.title} of the best of {len(ranked)} that were scored: {shown}"
        yield Choice("algorithm and hyperparameters", ranked[0].name, held, fitted)
    members = ", ".join(f"{member.candidate} {member.weight:.0%}" for member in training.members)
    how = "one model: no mixture gained enough on these rows"
    if len(training.members) > 1:
        how = f"greedy selection by {metric.title}; members and weights that gain it"
    yield Choice("ensemble", members, held, how)


def _corrections(training: Training, threshold: Threshold | None, options: Options) -> Iterator[Choice]:
    held = len(training.held_out_rows)
    for what, record in (("calibration", training.calibration), ("bands and sets", training.conformal)):
        if record is not None:
            tried = "; ".join(_figures(method) for method in record.methods)
            evidence = record.reason + (f" ({tried})" if tried else "")
            yield Choice(
                what, record.method.replace("_", " "), f"held-out rows ({record.rows:,}), cross-fitted", evidence
            )
    if options.mitigate is not None:
        yield Choice(
            "mitigation", f"odds shifted by the groups of '{options.mitigate}'", f"held-out rows ({held:,})",
            "each group's selection rate brought to that of all rows; asked for with --mitigate",
        )  # fmt: skip
    if threshold is not None:
        yield Choice("threshold", f"{threshold.value:.4g}", f"held-out rows ({held:,})", threshold.chosen_by)


def _figures(method: Mapping[str, Any]) -> str:
    shown = [f"{key.replace('_', ' ')} {value:.4g}" for key, value in method.items() if isinstance(value, int | float)]
    return f"{str(method.get('name', '')).replace('_', ' ')}: {', '.join(shown)}"
