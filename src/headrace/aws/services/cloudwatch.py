"""CloudWatch metrics: their operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import InvalidInput, TooLarge
from headrace.server.operations.metrics import data, statistics, storing

SERVICE = Service(
    "cloudwatch",
    modules=(storing, data, statistics),
    errors={InvalidInput: "InvalidParameterValue", TooLarge: "RequestEntityTooLarge"},
    data_events=frozenset({"PutMetricData", "GetMetricData", "GetMetricStatistics", "ListMetrics"}),
)
