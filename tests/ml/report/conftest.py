"""Records as the nine steps leave them, for a binary, a multiclass and a regression task, and hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import Task, View
from headrace.ml.process.business_goals import BusinessGoals, Threshold
from headrace.ml.process.business_problem import BusinessProblem, Charter, Decisions, Kpi, Outcome
from headrace.ml.process.datasets import Check, Dataset
from headrace.ml.process.evaluation import Evaluation
from headrace.ml.process.exploration import Exploration
from headrace.ml.process.feature_engineering import Feature, FeatureEngineering
from headrace.ml.process.preparation import Cleaning, Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.training import Candidate, Member, Training
from headrace.ml.report import report_document
from headrace.ml.tables.columns import Column, ColumnKind

ROWS, SEED = 600, 7
CLASSES = {"binary": ("No", "Yes"), "multiclass": ("Adelie", "Chinstrap", "Gentoo"), "regression": ()}
METRIC = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
SCORES = {
    "binary": {
        "roc_auc": 0.8493,
        "average_precision": 0.662,
        "log_loss": 0.412,
        "accuracy": 0.803,
        "precision": 0.541,
        "recall": 0.783,
        "f1": 0.64,
    },
    "multiclass": {"log_loss": 0.081, "accuracy": 0.978, "balanced_accuracy": 0.971, "f1_macro": 0.969},
    "regression": {"rmse": 46203.5, "mae": 30110.2, "mape": 0.171, "r2": 0.8413},
}
RUN: dict[str, Any] = {
    "timings": {"business_problem": 0.01, "datasets": 0.8, "training": 38.2, "evaluation": 6.4, "business_goals": 0.1},
    "seed": SEED,
    "versions": {"headrace": "0.1.0", "python": "3.11.9", "lightgbm": "4.7.0"},
    "source": "examples/telco_churn.csv",
    "options": {"target": "Churn", "trials": None, "exclude": []},
    "created": "2026-11-22T12:50:00Z",
    "budget": 60.0,
    "model": {
        "bytes": 1_843_200,
        "sha256": "ab" * 32,
        "predict_microseconds": 118.4,
        "rows_per_second": 212_000.0,
        "parity_difference": 3.1e-7,
    },
}
Make = Callable[..., dict[str, Any]]


def names_of(extra: tuple[str, ...]) -> list[str]:
    return ["tenure", "MonthlyCharges", "since", "Contract", "InternetService", *extra]


def kinds_of(extra: tuple[str, ...]) -> list[ColumnKind]:
    kinds = [ColumnKind.NUMBER, ColumnKind.NUMBER, ColumnKind.DATE, ColumnKind.CATEGORY, ColumnKind.CATEGORY]
    return kinds + [ColumnKind.CATEGORY] * len(extra)


def problem(task: str, hostile: str) -> tuple[BusinessProblem, ProblemFraming]:
    money = Decisions(
        true_positive=Outcome(earns=400, costs=60), false_positive=Outcome(costs=60), false_negative=Outcome()
    )
    charter = Charter(
        problem=f"Customers leave {hostile}and nobody knows which.",
        current_state="Every leaver gets a letter afterwards.",
        pain_points=("late", "expensive"),
        impact="About 2 million a year.",
        kpis=(Kpi(metric=METRIC[task], minimum=0.8, name=f"Ranking {hostile}"),),
        decisions=money if task == "binary" else None,
        sensitive_columns=("gender",),
    )
    business = BusinessProblem(
        charter,
        (f"latency limit {hostile}",),
        "use ml",
        ("complex logic over many columns", "repeated at scale"),
        (("data", 2.0), ("model", 1.5)),
    )
    framing = ProblemFraming(
        Task(task),
        (f"the target has {len(CLASSES[task]) or 'many'} distinct values {hostile}",),
        f"Churn{hostile}" if hostile else "Churn",
        ROWS,
        11,
        tuple(names_of((hostile,) if hostile else ())),
        tuple(f"{c}{hostile}" for c in CLASSES[task]),
        f"Yes{hostile}" if task == "binary" else None,
        METRIC[task],
        "most frequent class" if CLASSES[task] else "mean",
        (("lightgbm", f"strong on tables {hostile}"), ("logistic_regression", "simple and readable")),
    )
    return business, framing


def table(task: str, extra: tuple[str, ...], random: np.random.Generator) -> tuple[Dataset, Preparation]:
    columns = tuple(Column(n, k) for n, k in zip(names_of(extra), kinds_of(extra), strict=True))
    frame = pl.DataFrame({c.name: random.normal(size=ROWS) if i < 3 else ["a"] * ROWS for i, c in enumerate(columns)})
    target = random.integers(0, len(CLASSES[task]), ROWS) if CLASSES[task] else random.normal(2e5, 5e4, ROWS)
    names = (
        "availability",
        "accessibility",
        "privacy",
        "security",
        "relevance",
        "freshness",
        "representativeness",
        "lack_of_bias",
    )
    states = ("pass", "pass", "warn", "pass", "pass", "unknown", "pass", "fail")
    hostile = extra[0] if extra else ""
    checks = tuple(
        Check(n, s, (f"600 rows looked at {hostile}",), f"ask the owner {hostile}")
        for n, s in zip(names, states, strict=True)
    )
    rows = np.arange(1, ROWS + 1)
    dataset = Dataset(
        Task(task),
        columns,
        frame,
        target,
        rows,
        {"email": "e-mail address"},
        {"customerID": f"an identifier {hostile}"},
        checks,
        (f"delimiter ',' {hostile}",),
    )
    order = random.permutation(ROWS)
    train, validation, test = order[:420], order[420:480], order[480:]
    preparation = Preparation(
        Task(task), columns, frame, target, rows, train, validation, test, ((train[:300], train[300:]),) * 5, f"stratified {hostile}",
        (Cleaning("disguised_missing", "MonthlyCharges", 11, f"' ' {hostile}"), Cleaning("trimmed", "email", 3, "'ann@example.com' → …")),
        {"Constant": f"one value {hostile}"}, "median", True, {"median": 0.846, "knn": 0.844},
    )  # fmt: skip
    return dataset, preparation


def looks(task: str, extra: tuple[str, ...], random: np.random.Generator) -> Exploration:
    names, kinds = names_of(extra), kinds_of(extra)
    edges, hostile = np.linspace(0, 72, 13), extra[0] if extra else ""
    histograms: dict[str, Any] = {}
    against: dict[str, Any] = {}
    for name, kind in zip([*names, "email"], [*kinds, ColumnKind.CATEGORY], strict=True):
        if kind == ColumnKind.CATEGORY:
            bins = [
                {"value": f"{v}{hostile}", "count": c}
                for v, c in (("Month-to-month", 231), ("One year", 92), ("Two year", 97))
            ]
        else:
            scale = 3e7 if kind == ColumnKind.DATE else 1
            bins = [
                {"start": a * scale, "end": b * scale, "count": int(random.integers(5, 60))} for a, b in pairwise(edges)
            ]
        histograms[name] = bins
        several = CLASSES[task] if task == "multiclass" else ()
        against[name] = [
            b | {"target": float(random.uniform(0.2, 0.9))} | ({"class": several[i % 3] + hostile} if several else {})
            for i, b in enumerate(bins)
        ]
        against[name].append({"value": "", "count": 4, "target": 0.3, "class": "Gentoo"})
    histograms["email"] = against["email"] = [{"value": "ann@example.com", "count": 1, "target": 0.5}]
    statistics = tuple(
        {
            "name": n, "kind": k, "count": 420, "missing": 11 if i == 1 else 0, "distinct": 73, "mean": 32.4, "std": np.float64(24.5),
            "minimum": 0.0, "quartiles": [9.0, 29.0, 55.0], "maximum": 72.0, "skew": 0.24,
            "outliers": {"interquartile": 3, "robust_z": 1}, "top": [(f"{n} value {hostile}", 40), ("other", 12)], "private": n == "email", "relevance": 0.7 / (i + 1), "measure": "correlation ratio",
        }
        for i, (n, k) in enumerate([*zip(names, kinds, strict=True), ("email", ColumnKind.CATEGORY)])
    )  # fmt: skip
    matrix: list[list[float | None]] = [[None] * len(names) for _ in names]
    for i, row in enumerate(np.corrcoef(random.normal(size=(3, 40)))):
        matrix[i][:3] = row.tolist()
    everything = np.abs(np.corrcoef(random.normal(size=(len(names), 40))))
    points = [
        {
            "x": float(x),
            "y": float(20 + x + random.normal(0, 9)),
            "target": (CLASSES[task] or (x * 2e3,))[int(x) % max(len(CLASSES[task]), 1)],
        }
        for x in random.uniform(0, 72, 150)
    ]
    gaps = [[int(i == 1 and r % 9 == 0) for i in range(len(names))] for r in range(60)]
    return Exploration(
        statistics, {"name": "Churn", "kind": "values", "histogram": histograms["tenure"]} if task == "regression" else {"kind": "classes"}, histograms, against,
        {"columns": names, "pearson": matrix, "spearman": matrix, "association": everything},
        ({"x": "tenure", "y": "MonthlyCharges", "points": points}, {"x": "email", "y": "tenure", "points": points}),
        {"columns": names, "rows": gaps, "patterns": [{"columns": names[1:2], "count": 11}]}, ({"column": "tenure", "interquartile": 3, "robust_z": 1, "share": 0.007},),
        ({"column": "Contract", "evidence": f"tells nearly all {hostile}"},), None,
    )  # fmt: skip


def models(task: str, hostile: str) -> tuple[FeatureEngineering, Training]:
    features = (
        Feature(
            f"tenure × MonthlyCharges{hostile}",
            ("tenure", "MonthlyCharges"),
            "product",
            True,
            "earns its place",
            0.0021,
        ),
        Feature("log(tenure)", ("tenure",), "log", False, f"earns nothing {hostile}", -0.0004),
    )
    base = SCORES[task][METRIC[task]]
    candidates = [
        Candidate(
            f"{a} {i + 1}{hostile}",
            a,
            {"learning_rate": 0.05 * (i + 1), "num_leaves": 31, "note": hostile},
            View.TREES,
            "fitted",
            base * (1 - 0.004 * i),
            tuple(base * (1 + 0.01 * f) for f in range(-2, 3)),
            base * 1.04,
            0.2 * 3**i,
            3.5 + i,
            480,
        )
        for i, a in enumerate(("lightgbm", "catboost", "xgboost", "logistic_regression", "random_forest"))
    ]
    candidates.append(
        Candidate(
            "neural_network 1",
            "neural_network",
            {},
            View.SCALED,
            "failed",
            None,
            (),
            None,
            0.4,
            None,
            480,
            reason=f"did not converge {hostile}",
        )
    )
    nothing: Any = None
    members = tuple(Member(candidates[i].name, w, View.TREES, nothing) for i, w in ((0, 0.6), (1, 0.4)))
    curve = tuple(
        {"rows": r, "train_score": base * (1.1 - r / 9000), "validation_score": base * (0.93 + r / 9000)}
        for r in (60, 120, 240, 420)
    )
    empty = np.empty(0)
    training = Training(
        tuple(candidates),
        members,
        nothing,
        np.arange(480),
        empty,
        empty,
        empty,
        nothing,
        curve,
        {
            "loss": "zero-one",
            "bias": 0.12,
            "variance": 0.03,
            "error": 0.14,
            "noise": None,
            "reading": "More of the error comes from bias.",
        },
        True,
        (f"2 candidates ran out of time {hostile}",),
        tuple({"members": n, "score": base * (0.9 + n / 50), "microseconds": 20.0 * n} for n in (1, 2, 3)),
    )
    return FeatureEngineering(features, ()), training


def quality(task: str, hostile: str, random: np.random.Generator) -> Evaluation:
    steps = np.linspace(0, 1, 41)
    labels = [f"{c}{hostile}" for c in CLASSES[task]]
    named = labels[-1:] if task == "binary" else labels
    curves: dict[str, Any] = {}
    if labels:
        curves = {
            "roc": [
                {
                    "class": c,
                    "points": [
                        {"false_positive_rate": s, "true_positive_rate": s ** (0.3 / (i + 1)), "threshold": 1 - s}
                        for s in steps
                    ],
                }
                for i, c in enumerate(named)
            ],
            "precision_recall": [
                {"class": c, "points": [{"recall": s, "precision": 1 - 0.7 * s**2, "threshold": 1 - s} for s in steps]}
                for c in named
            ],
            "gain": [{"class": c, "points": [{"share": s, "gain": s**0.4, "lift": 2.0} for s in steps]} for c in named],
            "calibration": [
                {
                    "class": c,
                    "points": [{"predicted": s, "observed": min(1, s * 1.05), "count": 12} for s in steps[2::4]],
                }
                for c in named
            ],
            "confusion_matrix": {"classes": labels, "counts": (np.eye(len(labels), dtype=int) * 70 + 9)},
        }
    else:
        truth = random.normal(2e5, 5e4, 200)
        curves["residuals"] = {
            "points": [
                {"actual": t, "predicted": t + e, "residual": -e}
                for t, e in zip(truth, random.normal(0, 2e4, 200), strict=True)
            ],
            "histogram": [
                {"start": -6e4 + 1e4 * i, "end": -5e4 + 1e4 * i, "count": 30 - 5 * abs(i - 6)} for i in range(1, 12)
            ],
        }
    scores, metric = SCORES[task], METRIC[task]
    value = scores[metric]
    groups = [
        {
            "column": c,
            "group": f"{g}{hostile}",
            "rows": 60,
            metric: value * f,
            "low": value * f * 0.95,
            "high": value * f * 1.05,
        }
        for c, g, f in (
            ("Contract", "Month-to-month", 0.97),
            ("Contract", "Two year", 1.02),
            ("email", "ann@example.com", 1.0),
        )
    ]
    explanations = tuple(
        {
            "row": r,
            "why": why,
            "prediction": 0.91 if named else 2.1e5,
            "base": 0.27,
            **({"class": named[0]} if len(named) > 1 else {}),
            "contributions": [
                {"column": n, "value": v, "contribution": c}
                for n, v, c in (
                    ("tenure", 2, 0.31),
                    ("Contract", f"Month-to-month{hostile}", 0.12),
                    ("email", None, -0.07),
                )
            ],
        }
        for r, why in ((17, "highest probability"), (311, "worst mistake"))
    )
    return Evaluation(
        {"train": {k: v * 1.02 for k, v in scores.items()}, "validation": {k: v * 1.01 for k, v in scores.items()}, "test": scores | {"undefined": float("nan")}},
        {k: (v * 0.97, v * 1.03) for k, v in scores.items()}, {"name": "most frequent", "metrics": {k: v * 0.6 for k, v in scores.items()}}, curves,
        models(task, hostile)[1].learning_curve, {"loss": "zero-one", "bias": 0.12, "variance": 0.03, "error": 0.14, "noise": None, "reading": "More of the error comes from bias."}, {"verdict": "good", "evidence": f"train and validation are close {hostile}", "learning_curve": {"slope": 0.01, "reading": "Each doubling of the rows improves it by 0.01."}},
        tuple(groups), tuple(groups[:2]), ({"column": "tenure", "importance": 0.05, "std": 0.004}, {"column": f"Contract{hostile}", "importance": 0.03, "std": 0.002}),
        explanations, np.full(120, 0.4242), {} if labels else {"measured": 0.91, "meant": 0.9, "half_width": 7e4}, (f"importance of 3 columns {hostile}",),
    )  # fmt: skip


def goals(task: str, hostile: str, decision: str) -> tuple[BusinessGoals, Threshold | None]:
    threshold = None
    if task == "binary":
        curve = tuple(
            {"threshold": t / 50, "share": 1 - t / 50, "precision": 0.3 + t / 80, "recall": 1 - t / 60, "f1": 0.6}
            | {"expected_value": (earned := 30 - 80 * (t / 50 - 0.31) ** 2), "low": earned - 4, "high": earned + 4}
            | {"meets": "surely" if 10 < t < 20 else "narrowly" if 5 < t < 30 else "no"}
            for t in range(51)
        )
        said = f"the most money on held-out rows {hostile}"
        threshold = Threshold(0.31, said, 29.98, curve, 0.27, 0.36, "surely", {"capacity": 0.25})
    value = SCORES[task][METRIC[task]]
    figure = {"value": 28.41, "low": 24.2, "high": 32.6}
    policies = [
        {"name": "act on all", "value": 12.1, "low": 9.0, "high": 15.3},
        {"name": "act on none", "value": 0.0, "low": 0.0, "high": 0.0},
    ]
    money = figure | {
        "currency": "USD",
        "rows": 120,
        "policies": policies,
        "best_policy": "act on all",
        "gain": figure | {"value": 16.3},
    }
    kpi = {
        "name": f"Ranking {hostile}",
        "metric": METRIC[task],
        "minimum": value * 0.9,
        "maximum": None,
        "value": value,
        "low": value * 0.97,
        "high": value * 1.03,
        "status": "met",
    }
    latency = {"name": "Latency of one prediction", "metric": "latency_ms", "minimum": None, "maximum": 50.0}
    latency |= {"value": 0.12, "low": None, "high": None, "status": "met"}
    record = BusinessGoals(
        threshold, "USD", money if threshold else {}, (kpi, latency), decision, (f"every KPI is met {hostile}",),
        (f"watch the drift of Contract {hostile}",), {"helps": True, "slope": 0.0012, "reading": "Doubling the 480 rows helps."}, (f"collect the reason for leaving {hostile}",),
        {"holds": True, "reading": "It holds up."}, {"latency_ms": 0.12, "cost_per_1000": 0.0001},
    )  # fmt: skip
    if threshold:
        counts = {"acted": [0, 40, 120], "found": [0, 25, 50], "worth": [0.0, 31.0, 12.0]}
        rival = {"algorithm": "lightgbm", "weight": 0.6, "threshold": 0.3, "share": 0.33, "value": 31.0, "gain": figure}
        profits = ({"name": "the model"} | rival | counts, {"name": f"lightgbm-1 {hostile}"} | rival | counts)
        cost = figure | {"unit": "USD a decision"}
        limits = {"capacity": {"threshold": 0.25, "cost": cost, "text": "200 a week of 1,000", "allowed": 0.2}}
        findings = ({"weight": "favour", "about": "baseline", "sentence": f"It is better {hostile}"},)
        record = replace(record, profits=profits, limits=limits, findings=findings)
    return record, threshold


@pytest.fixture(scope="session")
def make_records() -> Make:
    """Make records of a task; `hostile` text goes wherever data can reach, also as the name of a column."""

    def make(task: str = "binary", hostile: str = "", decision: str = "go") -> dict[str, Any]:
        random = np.random.default_rng(SEED)
        extra = (hostile,) if hostile else ()
        business, framing = problem(task, hostile)
        dataset, preparation = table(task, extra, random)
        engineering, training = models(task, hostile)
        record, threshold = goals(task, hostile, decision)
        return {
            "business_problem": business, "problem_framing": framing, "datasets": dataset, "preparation": preparation,
            "exploration": looks(task, extra, random), "feature_engineering": engineering, "training": training,
            "evaluation": quality(task, hostile, random), "business_goals": record, "threshold": threshold,
        }  # fmt: skip

    return make


@pytest.fixture(scope="session")
def make_document(make_records: Make) -> Make:
    """Make report.json's document of a task."""
    return lambda *args, **kwargs: report_document(make_records(*args, **kwargs), run=RUN)
