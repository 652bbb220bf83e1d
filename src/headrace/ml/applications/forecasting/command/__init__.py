"""`headrace forecast`: from a table of series to forecasts, a report and a saved model."""

from headrace.ml.applications.forecasting.command.request import Costs, Request, parse_quantiles
from headrace.ml.applications.forecasting.command.walk import ForecastRecord, Tables, forecast, forecast_again

__all__ = ["Costs", "ForecastRecord", "Request", "Tables", "forecast", "forecast_again", "parse_quantiles"]
