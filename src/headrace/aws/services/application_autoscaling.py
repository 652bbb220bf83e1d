"""Application Auto Scaling: its operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import Conflict, InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.scaling import activities, policies, schedules, targets

SERVICE = Service(
    "application-autoscaling",
    modules=(targets, policies, schedules, activities),
    errors={
        InvalidInput: "ValidationException",
        NotFound: "ObjectNotFoundException",
        Conflict: "ConcurrentUpdateException",
        LimitExceeded: "LimitExceededException",
    },
)
