"""Amazon SageMaker: its operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import AlreadyExists, Conflict, InUse, InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.autopilot import jobs as autopilot_jobs
from headrace.server.operations.endpoints import configurations, endpoints
from headrace.server.operations.lineage import experiments, search, tags
from headrace.server.operations.models import models
from headrace.server.operations.registry import groups, packages
from headrace.server.operations.training import jobs as training_jobs
from headrace.server.operations.transforms import jobs as transform_jobs

SERVICE = Service(
    "sagemaker",
    modules=(
        training_jobs,
        models,
        configurations,
        endpoints,
        transform_jobs,
        autopilot_jobs,
        groups,
        packages,
        experiments,
        search,
        tags,
    ),
    errors={
        InvalidInput: "ValidationException",
        NotFound: "ResourceNotFound",
        AlreadyExists: "ResourceInUse",
        InUse: "ResourceInUse",
        Conflict: "ConflictException",
        LimitExceeded: "ResourceLimitExceeded",
    },
)
