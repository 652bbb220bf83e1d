"""Application Auto Scaling: its operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import Conflict, InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.scaling import targets

SERVICE = Service(
    "application-autoscaling",
    modules=(targets,),
    errors={
        InvalidInput: "ValidationException",
        NotFound: "ObjectNotFoundException",
        Conflict: "ConcurrentUpdateException",
        LimitExceeded: "LimitExceededException",
    },
)
