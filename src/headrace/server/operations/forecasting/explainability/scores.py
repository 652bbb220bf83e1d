"""Impact scores as a table: raw ones in the target's unit, normalised ones between -1 and 1 (AWS's columns)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from headrace.ml.applications.forecasting.panel import Panel

    Contributions = Mapping[str, npt.NDArray[np.float64]]

AGGREGATE = "Aggregate"
HOLIDAYS = "holidays"


def by_attribute(contributions: Contributions, attributes: Sequence[str], holidays: str | None) -> Contributions:
    """Return contributions [n, h] by the fields of the datasets, and Holiday_XX; a field of labels is one of them."""
    found: dict[str, Any] = {}
    for name, values in contributions.items():
        field = name.partition("=")[0]
        shown = f"Holiday_{holidays}" if field == HOLIDAYS else field
        if field in attributes:
            found[shown] = found[shown] + values if shown in found else values
    return found


def score_table(
    panel: Panel, contributions: Contributions, *, items: Sequence[int], steps: Sequence[int], each_step: bool
) -> pl.DataFrame:
    """Return the scores of some items in some steps of the horizon, and of all of them together.

    The columns are the dimensions, timestamp, and for each attribute NAME-RawImpactScore and
    NAME-NormalizedImpactScore. The rows: all series and steps together (`Aggregate`), each series over the steps, and
    with `each_step` each series in each step. Where `items` is empty, only the first of these. Normalised scores of
    rows of one kind have one scale, so that they can be compared; the first kind has no raw scores.
    """
    import numpy as np
    import polars as pl

    names = list(contributions)
    raw = np.stack([np.nan_to_num(contributions[name])[:, list(steps)] for name in names], axis=-1)  # [n, steps, a]
    rows: list[tuple[Any, ...]] = []
    _add(rows, [(AGGREGATE,) * (len(panel.dimensions) + 1)], raw.mean(axis=(0, 1))[None], shown=False)
    chosen = raw[list(items)]
    labels = [panel.items[at] for at in items]
    _add(rows, [(*each, AGGREGATE) for each in labels], chosen.mean(axis=1))
    if each_step:
        times = [panel.future_times(at, max(steps) + 1)[list(steps)] for at in items]
        keys = [(*each, str(time)) for each, moments in zip(labels, times, strict=True) for time in moments]
        _add(rows, keys, chosen.reshape(-1, len(names)))
    scores = [f"{name}-{kind}ImpactScore" for name in names for kind in ("Raw", "Normalized")]
    schema = dict.fromkeys((*panel.dimensions, "timestamp"), pl.String) | dict.fromkeys(scores, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _add(rows: list[tuple[Any, ...]], keys: Sequence[tuple[str, ...]], values: Any, *, shown: bool = True) -> None:
    """Append rows of scores, [rows, attributes], under one scale."""
    largest = float(abs(values).max(initial=0.0)) or 1.0
    for key, row in zip(keys, values.tolist(), strict=True):
        rows.append((*key, *(each for raw in row for each in (raw if shown else None, raw / largest))))
