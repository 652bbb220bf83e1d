"""Baskets read from a table: a row an item of a basket (long), or a row a basket with a column an item (wide)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headrace.ml.errors import InputError

if TYPE_CHECKING:
    import polars as pl

YES = frozenset({"1", "1.0", "yes", "y", "true", "t", "x"})
NO = frozenset({"", "0", "0.0", "no", "n", "false", "f", "na", "n/a", "null", "none"})

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """How baskets stand in a table.

    Long: `group` names the column of the basket and `item` that of the item. Wide: both are empty, and `columns` maps
    a column to its values that are items (value → item), where "" stands for every value that means yes.
    """

    group: str = ""
    item: str = ""
    columns: Mapping[str, Mapping[str, str]] | None = None

    def read(self, frame: pl.DataFrame) -> tuple[list[str], Codes, list[str]]:
        """Return the baskets' names, and for each item in a basket its basket's number and its name, none twice.

        Raises `InputError` for a column that is absent.
        """
        return self._long(frame) if self.columns is None else self._wide(frame, self.columns)

    def _long(self, frame: pl.DataFrame) -> tuple[list[str], Codes, list[str]]:
        import polars as pl

        _require(frame, (self.group, self.item))
        text = frame.select(
            basket=pl.col(self.group).cast(pl.String).str.strip_chars(),
            item=pl.col(self.item).cast(pl.String).str.strip_chars(),
        )
        text = text.filter(pl.col("basket").is_not_null() & pl.col("item").is_not_null())
        text = text.filter((pl.col("basket") != "") & (pl.col("item") != "")).unique(maintain_order=True)
        names = text["basket"].unique(maintain_order=True)
        place = pl.DataFrame({"basket": names, "number": np.arange(names.len())})
        numbers = text.join(place, on="basket", how="left", maintain_order="left")["number"].to_numpy()
        return names.to_list(), numbers.astype(np.int64), text["item"].to_list()

    def _wide(
        self, frame: pl.DataFrame, columns: Mapping[str, Mapping[str, str]]
    ) -> tuple[list[str], Codes, list[str]]:
        import polars as pl

        _require(frame, tuple(columns))
        numbers: list[Codes] = []
        items: list[str] = []
        for column, values in columns.items():
            text = frame[column].cast(pl.String).fill_null("").str.strip_chars()
            for value, item in values.items():
                held = text.str.to_lowercase().is_in(list(YES)) if value == "" else text == value
                rows = np.flatnonzero(held.to_numpy())
                numbers.append(rows)
                items += [item] * len(rows)
        together = np.concatenate(numbers) if numbers else np.zeros(0, np.int64)
        return [str(i + 1) for i in range(frame.height)], together.astype(np.int64), items


def _require(frame: pl.DataFrame, names: Sequence[str]) -> None:
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise InputError(f"the table lacks the column '{absent[0]}', which the baskets are read from; add it")
