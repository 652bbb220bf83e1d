"""The series of the benchmark: what systems learn from, what is known ahead, and the values they are judged on."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""The quantiles that every system forecasts."""


@dataclass(frozen=True)
class SeriesSet:
    """A set of series: `horizon` periods of each are held back, `origins` times, each a horizon before the other.

    `frequency` is in pandas' spelling; `season` is told to models that ask for one, `lag` what MASE is scaled by. `known` are
    columns known ahead, `static` those of each item. `budget` are the seconds of wall time of systems that take one.
    """

    name: str
    part: str
    read: Callable[[Path], pl.DataFrame]
    horizon: int
    frequency: str
    season: int
    lag: int
    budget: float
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    origins: int = 1


@dataclass(frozen=True)
class Split:
    """One origin of a set: its folder of history.csv, and related.csv and items.csv where there are any; the truth.

    `items` are in their order everywhere; `history` holds each item's values, `actual` [items, horizon] what followed.
    """

    folder: Path
    items: tuple[str, ...]
    history: tuple[np.ndarray, ...]
    actual: np.ndarray


def _m4(period: str, unit: str) -> Callable[[Path], pl.DataFrame]:
    """Read M4's wide files; the series have no dates, and all end in the same period here."""

    def read(data: Path) -> pl.DataFrame:
        parts: dict[str, list[float]] = {}
        for kind in ("train", "test"):
            with gzip.open(data / "m4_hourly_weekly" / f"{period}-{kind}.csv.gz", "rt") as file:
                rows = list(csv.reader(file))[1:]
            for row in rows:
                parts.setdefault(row[0], []).extend(float(value) for value in row[1:] if value)
        items = np.repeat(list(parts), [len(values) for values in parts.values()])
        ago = np.concatenate([np.arange(len(values), 0, -1) for values in parts.values()])
        end = datetime(2018, 1, 7) if unit == "w" else datetime(2018, 1, 1)
        frame = pl.DataFrame({"item": items, "ago": ago, "target": np.concatenate(list(parts.values()))})
        time = pl.lit(end).dt.offset_by(pl.format(f"-{{}}{unit}", "ago"))
        return frame.select("item", time.alias("time"), "target")

    return read


def _electronics(data: Path) -> pl.DataFrame:
    folder = data / "consumer_electronics_demand"
    demand, price = (
        pl.read_csv(folder / f"consumer_electronics_{kind}.csv", try_parse_dates=True) for kind in ("TTS", "RTS")
    )
    both = demand.join(price, on=["item_id", "store_id", "timestamp"])
    return both.select(
        pl.format("{} {}", "item_id", "store_id").alias("item"), pl.col("timestamp").cast(pl.Datetime).alias("time"),
        pl.col("demand").alias("target"), "price", pl.col("item_id").alias("product"), pl.col("store_id").alias("store"),
    )  # fmt: skip


def _avocado(data: Path) -> pl.DataFrame:
    """Bring the sales to weeks; the few that are absent are interpolated, for all systems alike."""
    frame = pl.read_csv(data / "avocado_sales" / "avocado.csv", try_parse_dates=True)
    keys = ["item", "geography", "type"]
    frame = frame.with_columns(pl.format("{} {}", "geography", "type").alias("item"))
    weeks = pl.col("date").cast(pl.Datetime).dt.offset_by("1d").dt.truncate("1w").dt.offset_by("-1d")
    frame = frame.group_by(*keys, weeks.alias("time")).agg(
        pl.col("total_volume").mean().alias("target"), pl.col("average_price").mean().alias("price")
    )
    frame = frame.sort("item", "time").upsample("time", every="1w", group_by=keys, maintain_order=True)
    return frame.with_columns(pl.col(*keys).forward_fill(), pl.col("target", "price").interpolate())


def _clients(data: Path) -> pl.DataFrame:
    frame = pl.read_csv(data / "electricity_clients" / "item-demand-time.csv", has_header=False, try_parse_dates=True)
    return frame.select(
        pl.col("column_2").alias("item"), pl.col("column_0").alias("time"), pl.col("column_1").alias("target")
    )


def _victoria(data: Path) -> pl.DataFrame:
    frame = pl.read_csv(data / "electricity_demand_temperature" / "elecdemand.csv")
    time = pl.datetime_range(datetime(2014, 1, 1), datetime(2014, 12, 31, 23, 30), "30m", eager=True)
    return frame.select(
        pl.lit("victoria").alias("item"), time.alias("time"), pl.col("Demand").alias("target"),
        pl.col("WorkDay").alias("workday"), pl.col("Temperature").alias("temperature"),
    )  # fmt: skip


SETS = (
    SeriesSet("m4_hourly", "m4", _m4("Hourly", "h"), 48, "h", 24, 24, 300),
    SeriesSet("m4_weekly", "m4", _m4("Weekly", "w"), 13, "W-SUN", 52, 1, 300),
    SeriesSet("consumer_electronics_demand", "retail", _electronics, 3, "MS", 12, 12, 120, ("price",), ("product", "store")),
    SeriesSet("avocado_sales", "retail", _avocado, 13, "W-SUN", 52, 52, 120, ("price",), ("geography", "type")),
    SeriesSet("electricity_clients", "retail", _clients, 168, "h", 24, 24, 120, origins=3),
    SeriesSet("electricity_demand_temperature", "retail", _victoria, 96, "30min", 48, 48, 120, ("workday", "temperature"), origins=3),
)  # fmt: skip


def split(data: Path, chosen: SeriesSet, origin: int, folder: Path) -> Split:
    """Write what systems learn from at an origin (0 is the last) into `folder`, and return the truth."""
    frame = chosen.read(data).sort("item", "time")
    ago = pl.int_range(pl.len(), 0, -1).over("item")
    shown = frame.filter(ago > origin * chosen.horizon).with_columns(ago=pl.int_range(pl.len(), 0, -1).over("item"))
    history, ahead = shown.filter(pl.col("ago") > chosen.horizon), shown.filter(pl.col("ago") <= chosen.horizon)
    folder.mkdir(parents=True, exist_ok=True)
    history.select("item", "time", "target").write_csv(folder / "history.csv", datetime_format="%Y-%m-%d %H:%M:%S")
    if chosen.known:
        shown.select("item", "time", *chosen.known).write_csv(
            folder / "related.csv", datetime_format="%Y-%m-%d %H:%M:%S"
        )
    if chosen.static:
        shown.select("item", *chosen.static).unique(maintain_order=True).write_csv(folder / "items.csv")
    parts = history.group_by("item", maintain_order=True).agg("target")
    return Split(
        folder,
        tuple(parts["item"].to_list()),
        tuple(np.asarray(values, np.float64) for values in parts["target"].to_list()),
        ahead["target"].to_numpy().reshape(parts.height, chosen.horizon),
    )
