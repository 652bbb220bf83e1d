"""The data: many regular series, what is known beside them, and how tables become that."""

from headrace.ml.applications.forecasting.panel.inference import infer_frequency
from headrace.ml.applications.forecasting.panel.panel import Metadata, Panel, Related
from headrace.ml.applications.forecasting.panel.reading import (
    panel_of_frames,
    panel_of_tables,
    read_panel,
    read_source,
)

__all__ = [
    "Metadata",
    "Panel",
    "Related",
    "infer_frequency",
    "panel_of_frames",
    "panel_of_tables",
    "read_panel",
    "read_source",
]
