"""The algorithms that forecast, by name."""
