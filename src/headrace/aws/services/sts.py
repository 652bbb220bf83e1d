"""AWS Security Token Service."""

from headrace.aws.services import Service
from headrace.server import errors
from headrace.server.operations.identity import callers, sessions

SERVICE = Service(
    "sts",
    modules=(callers, sessions),
    errors={
        errors.InvalidInput: "ValidationError",
        errors.Denied: "AccessDenied",
        errors.LimitExceeded: "PackedPolicyTooLarge",
    },
)
