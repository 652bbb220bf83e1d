"""The data: many regular series, what is known beside them, and how tables become that."""

from headrace.ml.applications.forecasting.panel.panel import Panel, Related

__all__ = ["Panel", "Related"]
