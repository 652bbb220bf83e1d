"""What-if analyses: forecasts with other values of the related time series."""
