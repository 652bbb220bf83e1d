"""Which charts stand where: the charts of each step, made from the document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from headrace.ml.metrics import METRICS
from headrace.ml.report.charts.certainty import reliability
from headrace.ml.report.charts.classification import calibration, confusion_matrix, gain, precision_recall, roc
from headrace.ml.report.charts.discovery import discovery_charts
from headrace.ml.report.charts.distributions import class_balance, classes_against, histogram, target_against
from headrace.ml.report.charts.explanations import contributions, feature_gains, importance
from headrace.ml.report.charts.models import (
    bias_variance,
    candidates,
    ensemble_weights,
    fold_scores,
    learning_curve,
    scores_by_name,
    split_sizes,
)
from headrace.ml.report.charts.money import profit, profits, trade_offs, what_if
from headrace.ml.report.charts.quality import groups, kpi_intervals, metric_intervals
from headrace.ml.report.charts.regression import predicted_against_actual, residual_histogram, residuals
from headrace.ml.report.charts.relations import (
    MEASURES,
    correlation_heat_map,
    missing_map,
    missing_share,
    relevance,
    scatter,
)
from headrace.ml.report.charts.specification import Chart
from headrace.ml.report.formats import number, percent, words
from headrace.ml.report.listings.model import kpi_title, metric_rows, metric_title

FIRST_COLUMNS, MOST_COLUMNS = 6, 40
Document = Mapping[str, Any]
Gallery = dict[str, list[Chart]]


def charts_of(document: Document) -> Gallery:
    """Every chart of the document by the place where it stands; places without charts are empty lists."""
    makers: dict[str, Callable[[Document], Iterable[Chart | None]]] = {
        "preparation": _preparation,
        "target": _target,
        "relations": _relations,
        "feature_engineering": lambda d: [feature_gains(d["features"])],
        "training": _training,
        "quality": _quality,
        "curves": _curves,
        "discovery": discovery_charts,
        "fitting": _fitting,
        "importance": lambda d: [importance(d["steps"]["evaluation"]["importance"], metric_title(str(d["metric"])))],
        "explanations": _explanations,
        "groups": _groups,
        "profit": _profit,
        "kpis": lambda d: [
            kpi_intervals(k | {"title": kpi_title(k)}, f"kpi-{i}") for i, k in enumerate(d["business"]["kpis"][:12])
        ],
    }
    gallery = {place: [chart for chart in make(document) if chart is not None] for place, make in makers.items()}
    columns = _columns(document)
    return gallery | {"columns": columns[: 2 * FIRST_COLUMNS], "more_columns": columns[2 * FIRST_COLUMNS :]}


def _greater(document: Document) -> bool:
    metric = METRICS.get(str(document["metric"]))
    return metric is None or metric.greater_is_better


def _target(document: Document) -> Iterable[Chart | None]:
    bins = document["steps"]["exploration"]["target"].get("histogram")
    yield histogram("target", str(document["target"]), "number", bins or ())


def _preparation(document: Document) -> Iterable[Chart | None]:
    facts, metric = document["steps"]["preparation"], metric_title(str(document["metric"]))
    yield split_sizes(facts["sizes"])
    yield class_balance(facts["class_balance"])
    tried = [(words(r["strategy"]), r["score"]) for r in facts["imputation_scores"] if r["score"] is not None]
    reading = (
        f"Each dot is one way to fill gaps; {'further right' if _greater(document) else 'further left'} is better."
    )
    yield scores_by_name("imputation", "Ways to fill missing values", reading, tried, metric)


def _columns(document: Document) -> list[Chart]:
    """Two charts a column: how it is spread and how the target goes with it; the most relevant column first."""
    facts, framing = document["steps"]["exploration"], document["steps"]["problem_framing"]
    share = document["task"] != "regression"
    measure = (
        f"Share of “{framing['positive_class']}”" if document["task"] == "binary" else f"Mean of {framing['target']}"
    )
    ranked = sorted(facts["columns"], key=lambda c: -(c.get("relevance") or 0))
    charts: list[Chart] = []
    for i, column in enumerate([c for c in ranked if facts["histograms"].get(c["name"])][:MOST_COLUMNS]):
        name, kind = str(column["name"]), str(column["kind"])
        bins = facts["target_by_feature"].get(name) or []
        against = (
            classes_against(f"target-{i}", name, kind, bins)
            if document["task"] == "multiclass"
            else target_against(f"target-{i}", name, kind, bins, measure, share=share)
        )
        charts += [
            c for c in (histogram(f"histogram-{i}", name, kind, facts["histograms"][name]), against) if c is not None
        ]
    return charts


def _relations(document: Document) -> Iterable[Chart | None]:
    facts = document["steps"]["exploration"]
    yield relevance(facts["columns"])
    yield missing_share(facts["columns"])
    correlations = facts["correlations"]
    for measure in MEASURES:
        yield correlation_heat_map(measure, correlations.get("columns") or (), correlations.get(measure) or ())
    target = str(document["target"])
    for i, pair in enumerate(facts["scatter"][:6]):
        yield scatter(f"scatter-{i}", pair, target, classes=document["task"] != "regression")
    yield missing_map(facts["missing_map"].get("columns") or (), facts["missing_map"].get("rows") or ())


def _training(document: Document) -> Iterable[Chart | None]:
    metric, greater = metric_title(str(document["metric"])), _greater(document)
    scored = [c for c in document["candidates"] if c["validation_score"] is not None and c["algorithm"] != "baseline"]
    yield candidates(scored, metric, greater=greater)
    best = sorted(scored, key=lambda c: c["validation_score"], reverse=greater)[:12]
    yield fold_scores(best, metric)
    weights = [
        (words(m["candidate"]), m["weight"])
        for m in document["steps"]["training"]["members"]
        if m["weight"] is not None
    ]
    yield ensemble_weights(weights)


def _quality(document: Document) -> Iterable[Chart | None]:
    rows = metric_rows(document)
    bounded = [
        r for r in rows if r["name"] in METRICS and -1 <= (r["test"] or 0) <= 1 and document["task"] != "regression"
    ]
    yield metric_intervals("metrics", bounded, share=True)
    for i, row in enumerate(r for r in rows if r not in bounded):
        yield metric_intervals(f"errors-{i}", [row], share=False)


def _curves(document: Document) -> Iterable[Chart | None]:
    curves = document["steps"]["evaluation"]["curves"]
    yield roc(curves["roc"])
    yield precision_recall(curves["precision_recall"])
    yield confusion_matrix(curves["confusion_matrix"]["classes"], curves["confusion_matrix"]["counts"])
    yield calibration(curves["calibration"])
    yield reliability(document["steps"]["training"].get("calibration", {}))
    yield gain(curves["gain"])
    yield predicted_against_actual(curves["residuals"]["points"])
    yield residuals(curves["residuals"]["points"])
    yield residual_histogram(curves["residuals"]["histogram"])


def _fitting(document: Document) -> Iterable[Chart | None]:
    facts = document["steps"]["evaluation"]
    yield learning_curve(facts["learning_curve"], metric_title(str(document["metric"])))
    found = facts["bias_variance"]
    parts = [{"part": words(k), "value": found.get(k)} for k in ("bias", "variance", "noise", "error")]
    yield bias_variance(parts)


def _explanations(document: Document) -> Iterable[Chart | None]:
    positive = document["steps"]["problem_framing"]["positive_class"]
    for i, example in enumerate(document["steps"]["evaluation"]["explanations"][:8]):
        answer = example.get("class") or positive
        said = (
            f"“{answer}” at {percent(example['prediction'])}"
            if answer
            else f"predicted {number(example['prediction'])}"
        )
        title = f"{(example['why'] or 'example').capitalize()} (row {example['row']}): {said}"
        usual = percent(example["base"]) if answer else number(example["base"])
        yield contributions(f"explanation-{i}", title, usual, example["contributions"])


def _groups(document: Document) -> Iterable[Chart | None]:
    facts, name = document["steps"]["evaluation"], str(document["metric"])
    title = metric_title(name)
    reading = (
        "Each dot is one group of rows, with its 95 % interval where there is one; a group far from the others "
        "is served differently."
    )
    yield groups("segments", f"{title} by segment", reading, _measured(facts["segments"], name), title)
    yield groups(
        "sensitive-groups", f"{title} by sensitive group", reading, _measured(facts["sensitive_groups"], name), title
    )


def _measured(rows: list[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    return [row | {"value": row.get(metric)} for row in rows]


def _profit(document: Document) -> Iterable[Chart | None]:
    business = document["business"]
    curve = business["threshold_curve"]
    money = bool(curve) and curve[0].get("expected_value") is not None
    key = "expected_value" if money else "f1"
    points = [p | {"value": p.get(key)} for p in curve if p.get("threshold") is not None]
    measure = f"{business['currency']} a decision" if money else metric_title(key)
    chosen, expected = business["threshold"], business["expected_value"]
    spread = business.get("threshold_interval") or (None, None)
    yield profit(points, chosen, measure, money=money, spread=spread, tested=expected)
    charter = document["steps"]["business_problem"]["charter"].get("decisions")
    if money and charter:
        amounts = {name: (each["earns"] or 0) - (each["costs"] or 0) for name, each in charter.items()}
        yield what_if(points, amounts, str(business["currency"]))
    yield profits(business.get("profits") or (), measure, money=money)
    yield trade_offs(points, chosen)
    if expected.get("policies"):
        rows = [{"group": "the model"} | expected, *({"group": p["name"]} | p for p in expected["policies"])]
        reading = (
            "Each dot is what a decision earns on the test part, with its 95 % interval; the model should "
            "stand right of the simple policies."
        )
        unit = f"{business['currency']} a decision"
        yield groups("policies", "The model against doing without", reading, rows, unit)
