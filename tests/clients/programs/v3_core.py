"""SageMaker SDK v3: the whole flow by its resource classes, from a training job to a transform job."""

import json
import sys
from pathlib import Path
from uuid import uuid4

import abalone
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TrainingJob, TransformJob
from sagemaker.core.shapes import (
    AlgorithmSpecification,
    Channel,
    ContainerDefinition,
    DataProcessing,
    DataSource,
    OutputDataConfig,
    ProductionVariant,
    ResourceConfig,
    S3DataSource,
    StoppingCondition,
    TransformDataSource,
    TransformInput,
    TransformOutput,
    TransformResources,
    TransformS3DataSource,
)

role = sys.argv[1]
session = Session()
bucket = session.default_bucket()
name = f"core-{uuid4().hex[:8]}"
lines = (f"{rings}," + ",".join(map(str, features)) for rings, features in abalone.rows(800, 1))
Path("train.csv").write_text("".join(f"{line}\n" for line in lines))
Path("rows.csv").write_text("".join(",".join(map(str, features)) + "\n" for _, features in abalone.rows(20, 3)))
train = session.upload_data("train.csv", bucket, "core/train")
batch = session.upload_data("rows.csv", bucket, "core/batch")
image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")

job = TrainingJob.create(
    training_job_name=name,
    hyper_parameters={"num_round": "10", "objective": "reg:squarederror"},
    algorithm_specification=AlgorithmSpecification(training_image=image, training_input_mode="File"),
    role_arn=role,
    input_data_config=[
        Channel(
            channel_name="train",
            content_type="text/csv",
            data_source=DataSource(s3_data_source=S3DataSource(s3_data_type="S3Prefix", s3_uri=train)),
        )
    ],
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/core/output"),
    resource_config=ResourceConfig(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
)
job.wait(poll=1)
job.refresh()
model = Model.create(
    model_name=name,
    primary_container=ContainerDefinition(image=image, model_data_url=job.model_artifacts.s3_model_artifacts),
    execution_role_arn=role,
)
configuration = EndpointConfig.create(
    endpoint_config_name=name,
    production_variants=[
        ProductionVariant(variant_name="all", model_name=name, initial_instance_count=1, instance_type="ml.m5.large")
    ],
)
endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=configuration)
endpoint.wait_for_status("InService", poll=1)
first = Path("rows.csv").read_text().splitlines()[0]
answer = float(endpoint.invoke(body=first, content_type="text/csv", accept="text/csv").body.read())
transform = TransformJob.create(
    transform_job_name=name,
    model_name=name,
    transform_input=TransformInput(
        data_source=TransformDataSource(s3_data_source=TransformS3DataSource(s3_data_type="S3Prefix", s3_uri=batch)),
        content_type="text/csv",
        split_type="Line",
    ),
    transform_output=TransformOutput(s3_output_path=f"s3://{bucket}/core/out", accept="text/csv", assemble_with="Line"),
    transform_resources=TransformResources(instance_type="ml.m5.large", instance_count=1),
    data_processing=DataProcessing(join_source="None"),
)
transform.wait(poll=1)
answers = session.read_s3_file(bucket, "core/out/rows.csv.out").splitlines()
found = {
    "jobs": [each.training_job_name for each in TrainingJob.get_all(name_contains=name)],
    "endpoints": [each.endpoint_name for each in Endpoint.get_all(name_contains=name)],
}
endpoint.delete()
endpoint.wait_for_delete(poll=1)
configuration.delete()
model.delete()
left = [each.model_name for each in Model.get_all(name_contains=name)]
print()
json.dump(
    {"name": name, "status": job.training_job_status, "answer": answer, "answers": answers, "left": left} | found,
    sys.stdout,
)
