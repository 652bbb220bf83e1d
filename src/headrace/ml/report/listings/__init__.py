"""The report's tables: what is not a chart, ready to be shown."""
