"""report.json of a forecast: what was asked, what the data are, how the models fared, what is forecast and decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from headrace.ml.applications.forecasting.command.judging import Judgement
from headrace.ml.applications.forecasting.command.pictures import (
    decomposition_facts,
    item_errors,
    pictures,
    reliability,
    step_errors,
)
from headrace.ml.applications.forecasting.command.request import Request
from headrace.ml.applications.forecasting.command.stocking import Stocking
from headrace.ml.applications.forecasting.models import MODELS
from headrace.ml.applications.forecasting.models.contract import Forecast
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.applications.forecasting.predictor import ENSEMBLE, Predictor, WindowAccuracy
from headrace.ml.applications.forecasting.predictor.saving import finite

METRICS = ("wQL", "WAPE", "RMSE", "MAPE", "MASE")


def forecast_document(
    request: Request, panel: Panel, predictor: Predictor, forecast: Forecast, judgement: Judgement,
    stocking: Stocking | None, findings: tuple[str, ...], run: Mapping[str, Any], goal: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Gather report.json; `run` has timings, seed, versions, source, options, created, budget and model.

    `goal` is what the charter says (problem, impact). The result is finite JSON.
    """
    own = predictor.average()
    reference = judgement.reference
    metric = predictor.options.optimise
    document = {
        "schema_version": "1.0",
        "task": "forecasting",
        "target": request.columns.target,
        "metric": metric,
        "decision": judgement.decision,
        "reasons": judgement.reasons,
        "metrics": {"train": {}, "validation": {}, "test": _figures(own) | {"coverage": own.coverage}},
        "metrics_interval": {},
        "baseline": {
            "name": reference,
            "metrics": _figures(predictor.average(reference)) if reference else {},
        },
        "gain": {"value": judgement.gain, "low": judgement.low, "high": judgement.high},
        "business": {
            "currency": request.costs.currency,
            "expected_value": None,
            "threshold": None,
            "kpis": [],
            "stocking": None if stocking is None else asdict(stocking) | {"saving": stocking.saving},
        },
        "candidates": _candidates(predictor, reference),
        "steps": {
            "business_problem": {
                "cost_over": _money(request.costs.over, request),
                "cost_under": _money(request.costs.under, request),
            }
            | dict(goal),
            "problem_framing": _framing(request, panel),
            "datasets": _data(request, panel, findings),
            "preparation": _windows(predictor),
            "exploration": {"decomposition": decomposition_facts(panel)},
            "feature_engineering": _features(panel),
            "training": {"notes": predictor.notes, "windows": len(predictor.backtests)},
            "evaluation": {
                "items": [{k: v for k, v in row.items() if k != "position"} for row in item_errors(panel, predictor)],
                "by_step": step_errors(predictor),
                "reliability": reliability(predictor),
                "impacts": [asdict(impact) for impact in predictor.impacts],
                "series": pictures(panel, predictor, forecast),
            },
            "business_goals": {"advice": []},
        },
        **run,
    }
    result: dict[str, Any] = finite(document)
    return result


def _money(amount: float, request: Request) -> str | None:
    return f"{amount:,.6g} {request.costs.currency}" if amount else None


def _figures(record: WindowAccuracy) -> dict[str, float]:
    return {name: record.metric(name) for name in METRICS}


def _candidates(predictor: Predictor, reference: str | None) -> list[dict[str, Any]]:
    """Return every model with its figures by window, its share of the forecasts, and the ensemble first."""
    shares = dict(zip(predictor.weights.models, predictor.weights.items.mean(axis=0).tolist(), strict=True))
    main = {
        name: int((column > 0).sum())
        for name, column in zip(predictor.weights.models, predictor.weights.items.T, strict=True)
    }
    return [
        {
            "algorithm": name,
            "title": "the ensemble" if name == ENSEMBLE else MODELS[name].title,
            "reference": name == reference,
            "share": None if name == ENSEMBLE else shares.get(name, 0.0),
            "items": None if name == ENSEMBLE else main.get(name, 0),
            "metrics": _figures(predictor.average(name)),
            "windows": [_figures(window) | {"start": window.start, "end": window.end} for window in windows],
        }
        for name, windows in predictor.accuracy.items()
    ]


def _framing(request: Request, panel: Panel) -> dict[str, Any]:
    return {
        "horizon": request.training.horizon, "frequency": str(panel.frequency), "period": panel.frequency.title,
        "season": panel.frequency.season, "quantiles": request.training.quantiles, "items": len(panel),
        "dimensions": panel.dimensions if request.columns.keys else (), "metric": request.training.optimise,
    }  # fmt: skip


def _data(request: Request, panel: Panel, findings: tuple[str, ...]) -> dict[str, Any]:
    lengths = panel.lengths
    some = lengths > 0
    first, last = panel.frequency.timestamps(np.array([panel.start[some].min(), panel.ends[some].max() - 1]))
    return {
        "items": len(panel), "points": int(lengths.sum()), "start": str(first), "end": str(last),
        "shortest": int(lengths.min()), "longest": int(lengths.max()), "new_items": int((~some).sum()),
        "zeros": float((panel.values == 0).mean()), "unknown": int(np.isnan(panel.values).sum()),
        "findings": findings, "holidays": request.columns.holidays,
    }  # fmt: skip


def _windows(predictor: Predictor) -> dict[str, Any]:
    return {
        "windows": [
            {"start": window.start, "end": window.end, "points": window.points}
            for window in predictor.accuracy[ENSEMBLE]
        ]
    }


def _features(panel: Panel) -> dict[str, Any]:
    return {
        "related": [{"name": name, "known_ahead": series.known_ahead} for name, series in panel.related.items()],
        "metadata": list(panel.metadata),
    }
