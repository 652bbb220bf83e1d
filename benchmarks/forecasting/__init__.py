"""Forecasting beside statsforecast and AutoGluon-TimeSeries: the same series, horizons and wall time, in one run."""
