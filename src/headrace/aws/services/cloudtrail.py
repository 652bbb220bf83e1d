"""CloudTrail: its operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import AlreadyExists, Conflict, InUse, InvalidInput, LimitExceeded, NotBuilt, NotFound
from headrace.server.operations.trails import lookup, selectors, signing, status, tags, trails

SERVICE = Service(
    "cloudtrail",
    modules=(trails, status, selectors, lookup, signing, tags),
    errors={
        NotFound: "TrailNotFoundException",
        AlreadyExists: "TrailAlreadyExistsException",
        InvalidInput: "InvalidParameterException",
        Conflict: "ConflictException",
        InUse: "ConflictException",
        LimitExceeded: "TagsLimitExceededException",
        NotBuilt: "UnsupportedOperationException",
    },
)
