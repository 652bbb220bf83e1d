"""Training, processing and transform jobs as searches show them: with fewer members than Describe answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.server.operations.processing.jobs import described_processing_job
from headrace.server.operations.training.jobs import described_training_job
from headrace.server.operations.transforms.jobs import described_transform_job
from headrace.server.resources import Stored


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


TRAINING_JOB_PROPERTIES = words(
    "training_job_name training_job_arn tuning_job_arn labeling_job_arn auto_ml_job_arn model_artifacts "
    "training_job_status secondary_status failure_reason hyper_parameters algorithm_specification role_arn "
    "input_data_config output_data_config resource_config warm_pool_status vpc_config stopping_condition "
    "creation_time training_start_time training_end_time last_modified_time secondary_status_transitions "
    "final_metric_data_list enable_network_isolation enable_inter_container_traffic_encryption "
    "enable_managed_spot_training checkpoint_config training_time_in_seconds billable_time_in_seconds "
    "debug_hook_config experiment_config debug_rule_configurations tensor_board_output_config "
    "debug_rule_evaluation_statuses output_model_package_arn model_package_config profiler_config environment "
    "retry_strategy tags"
)
PROCESSING_JOB_PROPERTIES = words(
    "processing_inputs processing_output_config processing_job_name processing_resources stopping_condition "
    "app_specification environment network_config role_arn experiment_config processing_job_arn "
    "processing_job_status exit_message failure_reason processing_end_time processing_start_time last_modified_time "
    "creation_time monitoring_schedule_arn auto_ml_job_arn training_job_arn tags"
)
TRANSFORM_JOB_PROPERTIES = words(
    "transform_job_name transform_job_arn transform_job_status failure_reason model_name max_concurrent_transforms "
    "model_client_config max_payload_in_mb batch_strategy environment transform_input transform_output "
    "data_capture_config transform_resources creation_time transform_start_time transform_end_time labeling_job_arn "
    "auto_ml_job_arn data_processing experiment_config tags"
)


def searched_training_job(stored: Stored) -> dict[str, Any]:
    """Return a training job as it stands in records. AWS page: TrainingJob."""
    return _only(described_training_job(stored), TRAINING_JOB_PROPERTIES)


def searched_processing_job(stored: Stored) -> dict[str, Any]:
    """Return a processing job as it stands in records. AWS page: ProcessingJob."""
    return _only(described_processing_job(stored), PROCESSING_JOB_PROPERTIES)


def searched_transform_job(stored: Stored) -> dict[str, Any]:
    """Return a transform job as it stands in records. AWS page: TransformJob."""
    return _only(described_transform_job(stored), TRANSFORM_JOB_PROPERTIES)


def _only(members: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name in names}
