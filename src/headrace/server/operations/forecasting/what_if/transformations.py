"""Related time series as they might be: changed by operations under conditions, or replaced by those of a table."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from headrace.server.operations.training.channels import DataError

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

    from headrace.ml.applications.forecasting.panel import Panel

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

Members = Mapping[str, Any]
OPERATIONS: Mapping[str, Callable[[Any, float], Any]] = {
    "ADD": operator.add,
    "SUBTRACT": operator.sub,
    "MULTIPLY": operator.mul,
    "DIVIDE": operator.truediv,
}
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "EQUALS": operator.eq,
    "NOT_EQUALS": operator.ne,
    "LESS_THAN": operator.lt,
    "GREATER_THAN": operator.gt,
}
TIMESTAMP = "timestamp"


def transformed(panel: Panel, transformations: Sequence[Members]) -> Panel:
    """Return the panel with related series changed in the periods to forecast, one transformation after the other.

    AWS page: Amazon Forecast API, TimeSeriesTransformation. Raises DataError on a condition that names nothing there.
    """
    ahead = _ahead(panel)
    related = {name: each.values.copy() for name, each in panel.related.items()}
    for each in transformations:
        action, name = each["action"], _named(each["action"]["attribute_name"], panel.related)
        here = np.ones(ahead.shape, np.bool_)
        for condition in each.get("time_series_conditions") or ():
            here &= _holds(panel, condition, ahead, related)
        places = ahead[here]
        related[name][places] = OPERATIONS[action["operation"]](related[name][places], action["value"])
    return _with(panel, related)


def replaced(panel: Panel, table: pl.DataFrame, timestamp: str, columns: Sequence[str]) -> tuple[Panel, list[int]]:
    """Return the panel with values of a table in the place of its own, and the places of the items in the table.

    Values of periods outside the history and horizon are left out. Raises DataError where no item is known.
    """
    rows = {labels: place for place, labels in enumerate(panel.items)}
    keys = table.select(panel.dimensions).rows()
    items = np.array([rows.get(labels, -1) for labels in keys], np.int64)
    if (items < 0).all():
        raise DataError("None of the time series of the replacement is in the data; name them as there")
    periods = panel.frequency.ordinals(table[timestamp].to_numpy())
    wide = panel.lengths + panel.horizon_known
    step = periods - panel.start[items]
    inside = (items >= 0) & (step >= 0) & (step < wide[items])
    places = (panel.offsets[:-1] + np.arange(len(panel)) * panel.horizon_known)[items[inside]] + step[inside]
    related = {name: each.values.copy() for name, each in panel.related.items()}
    for column in columns:
        values = table[column].cast(float).fill_null(float("nan")).to_numpy()[inside]
        known = ~np.isnan(values)
        related[_named(column, panel.related)][places[known]] = values[known]
    return _with(panel, related), sorted(set(items[items >= 0].tolist()))


def _ahead(panel: Panel) -> npt.NDArray[np.int64]:
    """Return the places, in the values of related series, of the periods to forecast, [n, horizon_known]."""
    first = panel.offsets[1:] + np.arange(len(panel)) * panel.horizon_known
    return first[:, None] + np.arange(panel.horizon_known)


def _holds(panel: Panel, condition: Members, ahead: npt.NDArray[np.int64], related: Mapping[str, Floats]) -> Flags:
    """Return where a condition holds, [n, horizon_known]."""
    name, text = condition["attribute_name"], condition["attribute_value"]
    compare = COMPARISONS[condition["condition"]]
    found: Any
    if name == TIMESTAMP:
        times = panel.frequency.timestamps((panel.ends[:, None] + np.arange(panel.horizon_known)).ravel())
        return np.asarray(compare(times.reshape(ahead.shape), _moment(text)))
    if name in panel.dimensions:
        at = panel.dimensions.index(name)
        found = _labels([item[at] for item in panel.items], text, condition["condition"])
    elif name in panel.metadata:
        values = panel.metadata[name]
        if isinstance(values, np.ndarray):
            found = compare(values, _number(text, name))
        else:
            found = _labels(["" if each is None else each for each in values], text, condition["condition"])
    elif name.lower() in {each.lower() for each in related}:
        return np.asarray(compare(related[_named(name, related)][ahead], _number(text, name)))
    else:
        known = ", ".join([*panel.dimensions, *panel.metadata, *related, TIMESTAMP])
        raise DataError(f"A condition names '{name}', which is none of {known}")
    return np.broadcast_to(np.asarray(found)[:, None], ahead.shape)


def _labels(values: Sequence[str], text: str, condition: str) -> Any:
    if condition not in ("EQUALS", "NOT_EQUALS"):
        raise DataError(f"A condition compares labels with '{text}' by {condition}; use EQUALS or NOT_EQUALS")
    return np.array([COMPARISONS[condition](each, text) for each in values])


def _moment(text: str) -> np.datetime64:
    for form in ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
        try:
            return np.datetime64(datetime.strptime(text, form), "s")
        except ValueError:
            continue
    raise DataError(f"A condition's timestamp {text!r} is no date; write it as 2015-01-01 08:00:00")


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(f"A condition compares '{name}', which is a number, with {text!r}; give a number") from None


def _named(name: str, related: Mapping[str, Any]) -> str:
    """Return the related series of that name in any case."""
    found = next((each for each in related if each.lower() == name.lower()), None)
    if found is None:
        raise DataError(f"'{name}' is no related time series of the data; it has {', '.join(related)}")
    return found


def _with(panel: Panel, related: Mapping[str, Floats]) -> Panel:
    made = {name: replace(panel.related[name], values=values) for name, values in related.items()}
    return replace(panel, related=made)
