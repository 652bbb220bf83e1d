"""CloudWatch Logs: its operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import AlreadyExists, Conflict, InUse, InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.logs import events, filtering, groups, metric_filters, settings, streams

SERVICE = Service(
    "logs",
    modules=(groups, streams, events, filtering, settings, metric_filters),
    errors={
        NotFound: "ResourceNotFoundException",
        AlreadyExists: "ResourceAlreadyExistsException",
        InvalidInput: "InvalidParameterException",
        LimitExceeded: "LimitExceededException",
        Conflict: "OperationAbortedException",
        InUse: "OperationAbortedException",
    },
    data_events=frozenset({"PutLogEvents", "GetLogEvents", "FilterLogEvents"}),
)
