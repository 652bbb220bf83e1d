"""Amazon Forecast: its operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import Conflict, InvalidInput, TooLarge
from headrace.server.operations.forecasting import dataset_groups, datasets, tags, trees

SERVICE = Service(
    "forecast",
    modules=(datasets, dataset_groups, tags, trees),
    errors={
        InvalidInput: "InvalidInputException",
        Conflict: "ResourceInUseException",
        TooLarge: "InvalidInputException",
    },
)
