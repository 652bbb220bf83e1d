"""Parquet: columns of numbers, the first ones labels where they are asked for; null is missing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from headrace.server.containers.contract import ClientError, Rows
from headrace.server.containers.formats.soundness import Source, check_width, sound

LARGEST_REQUEST = 128 * 1024 * 1024


def read_parquet(body: bytes, source: Source, *, width: int | None = None) -> Rows:
    """Return the rows of a Parquet file in a request; raises ClientError where few bytes would unfold into too many."""
    (rows,) = _blocks(io.BytesIO(body), source, 0, False, LARGEST_REQUEST, single=True)
    check_width(rows.features.shape[1], width, source)
    return rows


def parquet_blocks(path: Path, source: Source, label_size: int, weighted: bool, size: int) -> Iterator[Rows]:
    """Yield the rows of a Parquet file in blocks of about `size` bytes of float32."""
    return _blocks(path, source, label_size, weighted, size, single=False)


def _blocks(file: Any, source: Source, label_size: int, weighted: bool, size: int, *, single: bool) -> Iterator[Rows]:
    import polars

    try:
        table = polars.scan_parquet(file)
        schema = table.collect_schema()
        total = int(table.select(polars.len()).collect().item())
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError) as error:
        raise _damaged(source, error) from None
    if len(schema) <= label_size + weighted or not total:
        raise ClientError(f"There are no rows of features in {source}.")
    for name, kind in schema.items():
        if not (kind.is_numeric() or kind == polars.Boolean):
            raise ClientError(f"Column '{name[:50]}' of {source} is of type {kind}, which is not one of numbers.")
    step = max(size // (4 * len(schema)), 1)
    if single and total > step:
        raise ClientError(f"The Parquet file of {source} unfolds into {total} rows, and at most {step} are taken.")
    for start in range(0, total, step):
        try:
            part = table.slice(start, step).select(polars.all().cast(polars.Float32)).collect()
        except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError) as error:
            raise _damaged(source, error) from None
        values = part.to_numpy(order="c")
        labels = values[:, 0] if label_size == 1 else values[:, :label_size] if label_size else None
        rows = Rows(
            np.ascontiguousarray(values[:, label_size + weighted :]),
            None if labels is None else labels.copy(),
            values[:, label_size].copy() if weighted else None,
            tuple(schema)[label_size + weighted :],
        )
        yield sound(rows, Source(source.file, start))


def _damaged(source: Source, error: BaseException) -> ClientError:
    return ClientError(f"Failed to load parquet data of {source}: {str(error).partition(chr(10))[0][:200]}.")
