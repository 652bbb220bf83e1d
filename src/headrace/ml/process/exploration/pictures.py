"""What pictures of each class look like: a strip of examples a class."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.process.preparation import Preparation, Rows
from headrace.ml.tables.columns import Column, ColumnKind
from headrace.ml.tables.pictures import strip_of

EXAMPLES = 8
MOST_CLASSES = 20


def picture_columns(preparation: Preparation, private: frozenset[str]) -> list[Column]:
    """Return the columns of pictures that may be shown."""
    return [c for c in preparation.columns if c.kind is ColumnKind.PICTURE and c.name not in private]


def show_classes(
    preparation: Preparation, rows: Rows, classes: Sequence[str], private: frozenset[str]
) -> tuple[dict[str, Any], ...]:
    """Return {title, rows, image} a class: its first pictures of the training part, as pixels that the model reads."""
    target = preparation.target[rows]
    return tuple(
        {"title": f"{column.name}: {name}", "rows": len(own), "image": show_rows(preparation, column, own)}
        for column in picture_columns(preparation, private)
        for code, name in enumerate(classes[:MOST_CLASSES])
        if len(own := rows[target == code])
    )


def show_rows(preparation: Preparation, column: Column, rows: npt.NDArray[np.int64]) -> str:
    """Draw the pictures of the first rows side by side: the address of a PNG that holds its own data."""
    pixels = preparation.frame[column.name].gather(rows[:EXAMPLES].tolist()).to_list()
    return "data:image/png;base64," + base64.b64encode(strip_of(pixels, column.shape)).decode()
