"""The report's charts: Vega-Lite specifications as plain dicts, one file a subject."""
