"""Amazon Forecast: its operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import Conflict, InvalidInput, TooLarge
from headrace.server.operations.forecasting import dataset_groups, datasets, tags, trees
from headrace.server.operations.forecasting.explainability import explainabilities
from headrace.server.operations.forecasting.exports import (
    backtest_export_jobs,
    explainability_exports,
    forecast_export_jobs,
    what_if_forecast_exports,
)
from headrace.server.operations.forecasting.forecasts import forecasts
from headrace.server.operations.forecasting.imports import jobs as import_jobs
from headrace.server.operations.forecasting.monitors import monitors
from headrace.server.operations.forecasting.predictors import accuracy, predictors
from headrace.server.operations.forecasting.what_if import analyses
from headrace.server.operations.forecasting.what_if import forecasts as what_if_forecasts

SERVICE = Service(
    "forecast",
    modules=(
        datasets,
        dataset_groups,
        import_jobs,
        predictors,
        accuracy,
        backtest_export_jobs,
        forecasts,
        forecast_export_jobs,
        explainabilities,
        explainability_exports,
        analyses,
        what_if_forecasts,
        what_if_forecast_exports,
        monitors,
        tags,
        trees,
    ),
    errors={
        InvalidInput: "InvalidInputException",
        Conflict: "ResourceInUseException",
        TooLarge: "InvalidInputException",
    },
)
