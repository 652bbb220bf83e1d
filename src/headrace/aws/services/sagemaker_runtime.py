"""SageMaker runtime: invocations of endpoints."""

from headrace.aws.services import Service
from headrace.server.errors import InvalidInput, NotFound, Unavailable
from headrace.server.operations.endpoints import asynchronous, invocation

SERVICE = Service(
    "sagemaker-runtime",
    modules=(invocation, asynchronous),
    errors={InvalidInput: "ValidationError", NotFound: "ValidationError", Unavailable: "ServiceUnavailable"},
    data_events=frozenset({"InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream"}),
    soon=frozenset({"InvokeEndpoint"}),
)
