"""The files of a forecast: the table of forecasts, and the saved model with the columns it was trained on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models.contract import Forecast
from headrace.ml.applications.forecasting.options import Filling, PanelOptions
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.applications.forecasting.predictor import Predictor, load_predictor, save_predictor
from headrace.ml.errors import ModelError

COLUMNS = "columns.json"
FORECASTS = "forecasts.csv"


def quantile_name(level: float) -> str:
    """Name the column of a quantile as Amazon Forecast's exports do.

    >>> quantile_name(0.1), quantile_name(0.975)
    ('p10', 'p97.5')
    """
    return f"p{100 * level:.6g}"


def forecast_table(panel: Panel, forecast: Forecast, columns: PanelOptions, stock: float | None) -> pl.DataFrame:
    """Return a row for each item and period: its labels, the time, the mean, the quantiles, and what to stock."""
    n, h = forecast.mean.shape
    times = np.concatenate([panel.future_times(i, h) for i in range(n)])
    labels = {} if not columns.keys else {
        name: np.repeat(np.array([labels[place] for labels in panel.items], object), h).tolist()
        for place, name in enumerate(panel.dimensions)
    }  # fmt: skip
    whole = bool((times == times.astype("datetime64[D]")).all())
    moments = pl.Series(times.astype("datetime64[us]")).dt.to_string("%Y-%m-%d" if whole else "%Y-%m-%d %H:%M:%S")
    frame: dict[str, Any] = {**labels, columns.time: moments, "mean": forecast.mean.ravel()}
    for place, level in enumerate(forecast.quantiles):
        frame[quantile_name(level)] = forecast.values[..., place].ravel()
    if stock is not None:
        frame["stock"] = forecast.values[..., forecast.quantiles.index(stock)].ravel()
    return pl.DataFrame(frame).with_columns(pl.selectors.float().round_sig_figs(7))


def save_model(predictor: Predictor, columns: PanelOptions, folder: Path) -> None:
    """Write the predictor, and the columns it was trained on."""
    save_predictor(predictor, folder)
    text = json.dumps(asdict(columns), indent=1, ensure_ascii=False)
    (folder / COLUMNS).write_text(text + "\n", encoding="utf-8")


def load_model(folder: Path) -> tuple[Predictor, PanelOptions]:
    """Read what `save_model` wrote; raises ModelError where it is damaged or foreign."""
    predictor = load_predictor(folder)
    try:
        found = json.loads((folder / COLUMNS).read_text(encoding="utf-8"))
        found["filling"] = {name: Filling(**rules) for name, rules in found["filling"].items()}
        found["dimensions"] = tuple(found["dimensions"])
        return predictor, PanelOptions(**found | {"frequency": Frequency(**found["frequency"])})
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / COLUMNS} is damaged or missing ({error}); train anew") from error
