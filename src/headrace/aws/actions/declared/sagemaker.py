"""Amazon SageMaker: condition keys on instances, networks and keys stand at many places of its requests."""

from headrace.aws.actions.declarations import Declared

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

DECLARED = Declared(
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
