"""How columns are related to one another."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION
from headrace.ml.process.datasets.association import (
    category_codes,
    contingency,
    correlation_ratio,
    correlations,
    cramers_v,
    lump_rare,
)
from headrace.ml.process.problem_framing import ProblemFraming

_MOST_COLUMNS = 40
_MOST_CATEGORIES = 50
_PAIRS = 6
_POINTS = 400

Cells = list[list[float | None]]


def relate(frame: pl.DataFrame) -> dict[str, Any]:
    """Relate the first 40 columns of `frame` pair by pair.

    `pearson` and `spearman` are filled for two numbers. `association` is Cramér's V for two texts, the correlation
    ratio for a text and a number, and |Spearman| for two numbers.
    """
    frame = frame.select(frame.columns[:_MOST_COLUMNS])
    numbers = [i for i, kind in enumerate(frame.dtypes) if kind == pl.Float64]
    texts = [i for i in range(frame.width) if i not in set(numbers)]
    matrix = (
        frame[:, numbers].select(pl.all().fill_null(float("nan"))).to_numpy()
        if numbers
        else np.empty((frame.height, 0))
    )
    ranks = frame[:, numbers].select(pl.all().rank("average").cast(pl.Float64)).to_numpy() if numbers else matrix
    pearson, spearman = (
        _spread(correlations(matrix, matrix), numbers, frame.width),
        _spread(correlations(ranks, ranks), numbers, frame.width),
    )
    association: Cells = [[None if cell is None else abs(cell) for cell in row] for row in spearman]
    codes = {i: lump_rare(category_codes(frame[:, i]), _MOST_CATEGORIES) for i in texts}
    for i in texts:
        association[i][i] = 1.0
        for j in texts:
            if j > i:
                value = round(float(cramers_v(contingency(codes[i], codes[j])[None])[0]), 4)
                association[i][j] = association[j][i] = value
    for place, j in enumerate(numbers):
        given = ~np.isnan(matrix[:, place])
        for i in texts:
            value = float(correlation_ratio(codes[i][given, None], matrix[given, place])[0]) if given.sum() > 1 else 0.0
            association[i][j] = association[j][i] = round(value, 4)
    return {"columns": frame.columns, "pearson": pearson, "spearman": spearman, "association": association}


def _spread(values: npt.NDArray[np.float64], numbers: list[int], width: int) -> Cells:
    cells: Cells = [[None] * width for _ in range(width)]
    for a, i in enumerate(numbers):
        for b, j in enumerate(numbers):
            cells[i][j] = 1.0 if i == j else round(float(values[a, b]), 4)
    return cells


def scatter_pairs(
    frame: pl.DataFrame, target: npt.NDArray[Any], framing: ProblemFraming, *, seed: int
) -> tuple[dict[str, Any], ...]:
    """Draw up to 6 pairs of the first 4 numbers of `frame` that have more than 5 values, with up to 400 points each."""
    numbers = [n for n, kind in frame.schema.items() if kind == pl.Float64 and frame[n].drop_nulls().n_unique() > 5][:4]
    if len(numbers) < 2:
        return ()
    pairs = [(x, y) for i, x in enumerate(numbers) for y in numbers[i + 1 :]][:_PAIRS]
    rows = np.random.default_rng(seed).permutation(frame.height)[: _POINTS * 2]
    sample, labels = frame.select(numbers)[rows], target[rows]
    result = []
    for x, y in pairs:
        given = (sample[x].is_not_null() & sample[y].is_not_null()).to_numpy()
        places = np.flatnonzero(given)[:_POINTS]
        points = [
            {"x": a, "y": b, "target": framing.classes[int(label)] if framing.task in CLASSIFICATION else float(label)}
            for a, b, label in zip(sample[x].gather(places), sample[y].gather(places), labels[places], strict=True)
        ]
        result.append({"x": x, "y": y, "points": points})
    return tuple(result)
