"""Exports: forecasts, backtests and impact scores as files in S3."""
