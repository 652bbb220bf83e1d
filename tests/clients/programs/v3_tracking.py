"""SageMaker SDK v3's own tracking: a run with curves and matrices, a trained and deployed model, its lineage and search."""

import json
import sys
import time
from pathlib import Path
from uuid import uuid4

import abalone
from sagemaker.core import image_uris
from sagemaker.core.experiments.run import Run, load_run
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.lineage.context import EndpointContext
from sagemaker.core.lineage.query import LineageQueryDirectionEnum
from sagemaker.core.lineage.visualizer import LineageTableVisualizer
from sagemaker.core.resources import Artifact, Experiment, ModelPackage, ModelPackageGroup, TrialComponent
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer

role = sys.argv[1]
session = Session()
bucket = session.default_bucket()
name = f"tracking-{uuid4().hex[:8]}"
Path("abalone").mkdir()
lines = (f"{rings}," + ",".join(map(str, features)) for rings, features in abalone.rows(300, 1))
Path("abalone/train.csv").write_text("".join(f"{line}\n" for line in lines))
data = session.upload_data("abalone/train.csv", bucket, f"{name}/train")
image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")

with Run(experiment_name=name, run_name="first", sagemaker_session=session) as run:
    run.log_parameter("rate", 0.1)
    run.log_metric("loss", 0.5, step=0)
    run.log_confusion_matrix([0, 1, 1, 0], [0, 1, 0, 0], title="confusion")
    run.log_roc_curve([0, 1, 1, 0], [0.1, 0.9, 0.4, 0.3], title="curve")
    trainer = ModelTrainer(
        training_image=image, role=role, sagemaker_session=session, base_job_name="tracked",
        hyperparameters={"num_round": 3, "objective": "reg:squarederror"},
        compute=Compute(instance_type="ml.m5.xlarge", instance_count=1),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/{name}/output"),
    )  # fmt: skip
    source = InputData(channel_name="train", data_source=data, content_type="text/csv")
    trainer.train(input_data_config=[source], wait=True, logs=False)
with load_run(experiment_name=name, run_name="first", sagemaker_session=session) as run:
    run.log_metric("loss", 0.25, step=1)

job = trainer._latest_training_job
builder = ModelBuilder(
    s3_model_data_url=job.model_artifacts.s3_model_artifacts, image_uri=image, role_arn=role, sagemaker_session=session,
    instance_type="ml.m5.large",
)  # fmt: skip
ModelPackageGroup.create(model_package_group_name=name)
model = builder.build()
package = builder.register(
    model_package_group_name=name, content_types=["text/csv"], response_types=["text/csv"],
    inference_instances=["ml.m5.large"], transform_instances=["ml.m5.large"], approval_status="Approved",
)  # fmt: skip
endpoint = builder.deploy(endpoint_name=name, instance_type="ml.m5.large", initial_instance_count=1)

for _ in range(60):
    contexts = list(EndpointContext.list(source_uri=endpoint.endpoint_arn, sagemaker_session=session))
    packages = list(Artifact.get_all(source_uri=package))
    if contexts and packages:
        break
    time.sleep(0.5)
context = EndpointContext.load(context_name=contexts[0].context_name, sagemaker_session=session)
datasets = context.dataset_artifacts(direction=LineageQueryDirectionEnum.ASCENDANTS)
viewer = LineageTableVisualizer(session)
of_job = viewer.show(training_job_name=job.training_job_name)
of_endpoint = viewer.show(endpoint_arn=endpoint.endpoint_arn)
component = TrialComponent.get(trial_component_name=f"{name}-first")
versions = list(ModelPackage.get_all(model_package_group_name=name))
endpoint.delete()
model.delete()
print()
json.dump(
    {
        "metrics": {each.metric_name: [each.count, each.last] for each in component.metrics},
        "status": component.status.primary_status,
        "experiments": [each.experiment_name for each in Experiment.get_all()],
        "datasets": [each.source.source_uri for each in datasets],
        "jobs": context.training_job_arns(direction=LineageQueryDirectionEnum.ASCENDANTS),
        "job": job.training_job_arn,
        "data": data,
        "of_job": sorted(f"{row['Direction']}:{row['Type']}" for _, row in of_job.iterrows()),
        "of_endpoint": sorted(f"{row['Direction']}:{row['Type']}" for _, row in of_endpoint.iterrows()),
        "versions": [each.model_approval_status for each in versions],
        "name": name,
    },
    sys.stdout,
)
