"""Amazon Forecast: its operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import Conflict, InvalidInput, TooLarge
from headrace.server.operations.forecasting import dataset_groups, datasets, tags, trees
from headrace.server.operations.forecasting.imports import jobs as import_jobs

SERVICE = Service(
    "forecast",
    modules=(datasets, dataset_groups, import_jobs, tags, trees),
    errors={
        InvalidInput: "InvalidInputException",
        Conflict: "ResourceInUseException",
        TooLarge: "InvalidInputException",
    },
)
