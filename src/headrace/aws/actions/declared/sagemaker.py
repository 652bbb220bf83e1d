"""Amazon SageMaker: condition keys on instances, networks and keys stand at many places of its requests."""

from collections.abc import Iterable

from headrace.aws.actions.declarations import Action, Declared, Parameters, Rule
from headrace.server.resources import Place

_VPC = ("vpc_config", "network_config.vpc_config", "training_job_definition.vpc_config")
_RESOURCES = (
    "resource_config",
    "processing_resources.cluster_config",
    "transform_resources",
    "job_resources.cluster_config",
    "training_job_definition.resource_config",
    "training_job_definitions[].resource_config",
    "monitoring_schedule_config.monitoring_job_definition.monitoring_resources.cluster_config",
)
_FILE_SYSTEM = "input_data_config[].data_source.file_system_data_source"

_TAGS = ("aws:RequestTag/${TagKey}", "aws:TagKeys")
_ARN = "arn:${Partition}:sagemaker:${Region}:${Account}:"

_TYPES = {
    "ai-benchmark-job": "${AIBenchmarkJobName}",
    "ai-recommendation-job": "${AIRecommendationJobName}",
    "ai-workload-config": "${AIWorkloadConfigName}",
    "extension": "${ClusterName}/${ExtensionName}/${ExtensionId}",
    "inference-router": "${InferenceRouterName}",
    "job": "${JobCategory}/${JobName}",
    "training-session": "${TrainingSessionName}",
}
"""Resource types that AWS's table doesn't have yet, as the patterns of botocore's model write their ARNs."""

_NEWER = {
    "AttachClusterNodeNetworkInterface": ("Write", "cluster"),
    "BatchRebootClusterNodes": ("Write", "cluster"),
    "BatchReplaceClusterNodes": ("Write", "cluster"),
    "CreateAIBenchmarkJob": ("Write", "ai-benchmark-job"),
    "CreateAIRecommendationJob": ("Write", "ai-recommendation-job"),
    "CreateAIWorkloadConfig": ("Write", "ai-workload-config"),
    "CreateClusterExtension": ("Write", "cluster"),
    "CreateInferenceRouter": ("Write", "inference-router"),
    "CreateJob": ("Write", "job"),
    "CreateTrainingSession": ("Write", "training-session"),
    "DeleteAIBenchmarkJob": ("Write", "ai-benchmark-job"),
    "DeleteAIRecommendationJob": ("Write", "ai-recommendation-job"),
    "DeleteAIWorkloadConfig": ("Write", "ai-workload-config"),
    "DeleteClusterExtension": ("Write", "extension"),
    "DeleteEndpointPolicy": ("Permissions management", "endpoint"),
    "DeleteInferenceRouter": ("Write", "inference-router"),
    "DeleteJob": ("Write", "job"),
    "DeleteTrainingSession": ("Write", "training-session"),
    "DescribeAIBenchmarkJob": ("Read", "ai-benchmark-job"),
    "DescribeAIRecommendationJob": ("Read", "ai-recommendation-job"),
    "DescribeAIWorkloadConfig": ("Read", "ai-workload-config"),
    "DescribeClusterExtension": ("Read", "extension"),
    "DescribeClusterOperation": ("Read", "cluster"),
    "DescribeInferenceRouter": ("Read", "inference-router"),
    "DescribeJob": ("Read", "job"),
    "DescribeJobSchemaVersion": ("Read", ""),
    "DescribeTrainingPlanExtensionHistory": ("Read", "training-plan"),
    "DescribeTrainingSession": ("Read", "training-session"),
    "ExtendTrainingPlan": ("Write", ""),
    "GetEndpointPolicy": ("Read", "endpoint"),
    "ListAIBenchmarkJobs": ("List", ""),
    "ListAIRecommendationJobs": ("List", ""),
    "ListAIWorkloadConfigs": ("List", ""),
    "ListClusterExtensionVersions": ("List", ""),
    "ListClusterExtensions": ("List", "cluster"),
    "ListClusterOperations": ("List", "cluster"),
    "ListInferenceRouters": ("List", ""),
    "ListJobSchemaVersions": ("List", ""),
    "ListJobs": ("List", ""),
    "ListTrainingSessions": ("List", ""),
    "PutEndpointPolicy": ("Permissions management", "endpoint"),
    "StopAIBenchmarkJob": ("Write", "ai-benchmark-job"),
    "StopAIRecommendationJob": ("Write", "ai-recommendation-job"),
    "StopJob": ("Write", "job"),
    "StopTrainingSession": ("Write", "training-session"),
    "UpdateClusterExtension": ("Write", "extension"),
    "UpdateInferenceRouter": ("Write", "inference-router"),
}
"""Operations of botocore's model whose actions AWS's table doesn't have yet: access level and resource type of each."""

_PASSING = ("CreateAIBenchmarkJob", "CreateAIRecommendationJob", "CreateJob", "CreateTrainingSession")


def _queried(parameters: Parameters, _: Place) -> Iterable[str]:
    """Return the resources whose metrics a request asks for."""
    return [each["resource_arn"].lower() for each in parameters["metric_queries"]]


DECLARED = Declared(
    operations={"BatchGetMetrics": (Rule("sagemaker:BatchGetMetrics", _queried),)},
    newer=tuple(
        Action(
            f"sagemaker:{name}",
            access,
            required=(kind,) if kind else (),
            keys=_TAGS if name.startswith("Create") else (),
            passes_role=name in _PASSING,
        )
        for name, (access, kind) in _NEWER.items()
    ),
    newer_types={kind: f"{_ARN}{kind}/{name}" for kind, name in _TYPES.items()},
    lower_case=True,
    tagging="sagemaker:AddTags",
    parameters={
        "DataQualityJobDefinitionName": ("job_definition_name",),
        "ModelBiasJobDefinitionName": ("job_definition_name",),
        "ModelExplainabilityJobDefinitionName": ("job_definition_name",),
        "ModelQualityJobDefinitionName": ("job_definition_name",),
        "InferenceRecommendationsJobName": ("job_name",),
        "AutoMLJobJobName": ("auto_ml_job_name",),
        "MlflowTrackingServerName": ("tracking_server_name",),
    },
    keys={
        "sagemaker:InstanceTypes": (
            "instance_type",
            *(f"{path}.instance_type" for path in _RESOURCES),
            *(f"{path}.instance_groups[].instance_type" for path in _RESOURCES),
            "production_variants[].instance_type",
            "shadow_production_variants[].instance_type",
            "resource_spec.instance_type",
        ),
        "sagemaker:AcceleratorTypes": ("accelerator_types[]", "production_variants[].accelerator_type"),
        "sagemaker:VolumeKmsKey": ("kms_key_id", *(f"{path}.volume_kms_key_id" for path in _RESOURCES)),
        "sagemaker:OutputKmsKey": (
            "output_data_config.kms_key_id",
            "processing_output_config.kms_key_id",
            "transform_output.kms_key_id",
            "output_config.kms_key_id",
            "training_job_definition.output_data_config.kms_key_id",
        ),
        "sagemaker:VpcSubnets": (*(f"{path}.subnets[]" for path in _VPC), "subnet_id", "subnet_ids[]"),
        "sagemaker:VpcSecurityGroupIds": (*(f"{path}.security_group_ids[]" for path in _VPC), "security_group_ids[]"),
        "sagemaker:NetworkIsolation": (
            "enable_network_isolation",
            "network_config.enable_network_isolation",
            "training_job_definition.enable_network_isolation",
        ),
        "sagemaker:InterContainerTrafficEncryption": (
            "enable_inter_container_traffic_encryption",
            "network_config.enable_inter_container_traffic_encryption",
            "training_job_definition.enable_inter_container_traffic_encryption",
        ),
        "sagemaker:MaxRuntimeInSeconds": (
            "stopping_condition.max_runtime_in_seconds",
            "training_job_definition.stopping_condition.max_runtime_in_seconds",
        ),
        "sagemaker:KeepAlivePeriod": ("resource_config.keep_alive_period_in_seconds",),
        "sagemaker:EnableRemoteDebug": ("remote_debug_config.enable_remote_debug",),
        "sagemaker:FileSystemId": (f"{_FILE_SYSTEM}.file_system_id",),
        "sagemaker:FileSystemType": (f"{_FILE_SYSTEM}.file_system_type",),
        "sagemaker:FileSystemAccessMode": (f"{_FILE_SYSTEM}.file_system_access_mode",),
        "sagemaker:FileSystemDirectoryPath": (f"{_FILE_SYSTEM}.directory_path",),
        "sagemaker:DirectInternetAccess": ("direct_internet_access",),
        "sagemaker:RootAccess": ("root_access",),
        "sagemaker:ModelApprovalStatus": ("model_approval_status",),
        "sagemaker:TargetModel": ("target_model",),
        "sagemaker:ServerlessMemorySize": ("production_variants[].serverless_config.memory_size_in_mb",),
        "sagemaker:ServerlessMaxConcurrency": ("production_variants[].serverless_config.max_concurrency",),
        "sagemaker:FeatureGroupEnableOnlineStore": ("online_store_config.enable_online_store",),
        "sagemaker:FeatureGroupOnlineStoreKmsKey": ("online_store_config.security_config.kms_key_id",),
        "sagemaker:FeatureGroupOfflineStoreS3Uri": ("offline_store_config.s3_storage_config.s3_uri",),
        "sagemaker:FeatureGroupOfflineStoreKmsKey": ("offline_store_config.s3_storage_config.kms_key_id",),
        "sagemaker:FeatureGroupDisableGlueTableCreation": ("offline_store_config.disable_glue_table_creation",),
    },
)
