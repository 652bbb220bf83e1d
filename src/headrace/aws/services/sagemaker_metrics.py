"""SageMaker metrics: what programs log while they train."""

from headrace.aws.services import Service
from headrace.server.errors import InvalidInput, NotFound
from headrace.server.operations.lineage import measurements

SERVICE = Service(
    "sagemaker-metrics",
    modules=(measurements,),
    errors={InvalidInput: "ValidationException", NotFound: "ResourceNotFound"},
    data_events=frozenset({"BatchPutMetrics", "BatchGetMetrics"}),
)
