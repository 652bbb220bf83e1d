"""Amazon SageMaker: its operations and codes."""

from headrace.aws.services import Service
from headrace.server.errors import AlreadyExists, Conflict, InUse, InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.autopilot import candidates
from headrace.server.operations.autopilot import jobs as autopilot_jobs
from headrace.server.operations.endpoints import configurations, endpoints
from headrace.server.operations.lineage import (
    actions,
    artifacts,
    associations,
    components,
    contexts,
    experiments,
    queries,
    tags,
    trials,
)
from headrace.server.operations.lineage.search import searching, suggestions
from headrace.server.operations.models import models
from headrace.server.operations.monitoring import definitions, executions, schedules
from headrace.server.operations.processing import jobs as processing_jobs
from headrace.server.operations.registry import groups, packages, versions
from headrace.server.operations.training import jobs as training_jobs
from headrace.server.operations.transforms import jobs as transform_jobs
from headrace.server.operations.tuning import jobs as tuning_jobs

SERVICE = Service(
    "sagemaker",
    modules=(
        training_jobs,
        tuning_jobs,
        models,
        configurations,
        endpoints,
        transform_jobs,
        processing_jobs,
        definitions,
        schedules,
        executions,
        autopilot_jobs,
        candidates,
        groups,
        packages,
        versions,
        experiments,
        trials,
        components,
        artifacts,
        actions,
        contexts,
        associations,
        queries,
        searching,
        suggestions,
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
