"""Amazon Forecast Query: its operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import InvalidInput
from headrace.server.operations.forecasting import querying

SERVICE = Service(
    "forecastquery",
    modules=(querying,),
    errors={InvalidInput: "InvalidInputException"},
    data_events=frozenset({"QueryForecast", "QueryWhatIfForecast"}),
)
