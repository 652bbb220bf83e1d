"""Forecasts as files: an index of the items, and all values in a row, so that one item's are read without the others.

index.json   dimensions, types (p10, mean…), horizon, frequency, the items' labels, the period each one begins in
values.f64   little-endian doubles, [items, types, horizon]
"""

from __future__ import annotations

import dataclasses
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from headrace.server.context import Platform
from headrace.server.operations import artifacts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from headrace.ml.applications.forecasting.frequencies import Frequency

INDEX, VALUES = "index.json", "values.f64"
MOST_REMEMBERED = 16
"""Indices that a process keeps in memory."""

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Index:
    """What a forecast is of: `rows` are the items' places in the file of values, `starts` the periods they begin in."""

    dimensions: tuple[str, ...]
    types: tuple[str, ...]
    horizon: int
    frequency: Frequency
    rows: Mapping[Labels, int]
    starts: tuple[int, ...]

    def times(self, row: int) -> list[str]:
        """Return the first moments of the periods forecast, as ISO 8601 without a zone."""
        import numpy as np

        moments = self.frequency.timestamps(self.starts[row] + np.arange(self.horizon))
        return [str(each) for each in moments.astype("datetime64[s]")]

    @property
    def item_bytes(self) -> int:
        """Bytes of one item's values."""
        return len(self.types) * self.horizon * 8


def write(
    folder: Path,
    *,
    dimensions: Sequence[str],
    items: Sequence[Labels],
    starts: Sequence[int],
    frequency: Frequency,
    types: Sequence[str],
    values: npt.NDArray[np.float64],
) -> tuple[Path, Path]:
    """Write both files; `values` are [items, types, horizon]."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "dimensions": list(dimensions),
        "types": list(types),
        "horizon": values.shape[2],
        "frequency": dataclasses.asdict(frequency),
        "starts": [int(each) for each in starts],
        "items": [list(each) for each in items],
    }
    (folder / INDEX).write_text(json.dumps(content), encoding="utf-8")
    (folder / VALUES).write_bytes(np.ascontiguousarray(values, "<f8").tobytes())
    return folder / INDEX, folder / VALUES


def index_of(connection: Connection, platform: Platform, arn: str) -> Index:
    """Return the index of a forecast, from memory where it was read before; raises NotFound where it has no files."""
    blob = artifacts.blob_of(connection, arn, INDEX)
    with _LOCK:
        found = _REMEMBERED.get(blob)
        if found is not None:
            _REMEMBERED.move_to_end(blob)
            return found
    found = _read(json.loads(b"".join(platform.objects.read(blob))))
    with _LOCK:
        _REMEMBERED[blob] = found
        while len(_REMEMBERED) > MOST_REMEMBERED:
            _REMEMBERED.popitem(last=False)
    return found


def values_of(
    connection: Connection, platform: Platform, arn: str, index: Index, row: int, count: int = 1
) -> npt.NDArray[np.float64]:
    """Return the values of `count` items from one on, [count, types, horizon]."""
    import numpy as np

    blob, size = artifacts.blob_of(connection, arn, VALUES), index.item_bytes
    content = b"".join(platform.objects.read(blob, row * size, count * size))
    return np.frombuffer(content, "<f8").reshape(count, len(index.types), index.horizon)


def parts_of(platform: Platform, arn: str, index: Index, rows: int) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Return runs of items, each of about so many rows of a table: the first item's place, and the values of all."""
    step = max(1, rows // index.horizon)
    for first in range(0, len(index.starts), step):
        with platform.metadata.reading() as connection:
            yield first, values_of(connection, platform, arn, index, first, min(step, len(index.starts) - first))


def _read(content: Mapping[str, Any]) -> Index:
    from headrace.ml.applications.forecasting.frequencies import Frequency

    return Index(
        tuple(content["dimensions"]),
        tuple(content["types"]),
        content["horizon"],
        Frequency(**content["frequency"]),
        {tuple(labels): row for row, labels in enumerate(content["items"])},
        tuple(content["starts"]),
    )


_REMEMBERED: OrderedDict[str, Index] = OrderedDict()
_LOCK = Lock()
