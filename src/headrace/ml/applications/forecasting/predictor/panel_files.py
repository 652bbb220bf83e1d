"""A panel as plain files, which several processes can map into their memory."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.panel import Panel, Related

_ABOUT = "panel.json"


def write_panel(panel: Panel, folder: Path) -> None:
    """Write a panel into a folder: its arrays as .npy, the rest as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("start", "offsets", "values"):
        np.save(folder / f"{name}.npy", getattr(panel, name), allow_pickle=False)
    related, metadata = [], []
    for position, (name, series) in enumerate(panel.related.items()):
        np.save(folder / f"related_{position}.npy", series.values, allow_pickle=False)
        related.append({"name": name, "known_ahead": series.known_ahead})
    for name, values in panel.metadata.items():
        plain = values.tolist() if isinstance(values, np.ndarray) else list(values)
        metadata.append({"name": name, "numeric": isinstance(values, np.ndarray), "values": plain})
    about = {
        "frequency": asdict(panel.frequency), "items": panel.items, "dimensions": panel.dimensions, "related": related,
        "metadata": metadata, "horizon_known": panel.horizon_known,
    }  # fmt: skip
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


def read_panel_files(folder: Path) -> Panel:
    """Map what `write_panel` wrote."""
    about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    arrays = {n: np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("start", "offsets", "values")}
    related = {
        entry["name"]: Related(np.load(folder / f"related_{position}.npy", mmap_mode="r"), entry["known_ahead"])
        for position, entry in enumerate(about["related"])
    }
    metadata = {
        entry["name"]: np.asarray(entry["values"], np.float64) if entry["numeric"] else tuple(entry["values"])
        for entry in about["metadata"]
    }
    return Panel(
        frequency=Frequency(**about["frequency"]),
        items=tuple(tuple(labels) for labels in about["items"]),
        dimensions=tuple(about["dimensions"]),
        related=related,
        metadata=metadata,
        horizon_known=about["horizon_known"],
        **arrays,
    )
