"""SageMaker SDK v3: ModelTrainer trains, ModelBuilder deploys, the endpoint answers and is deleted."""

import json
import sys
from pathlib import Path

import abalone
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer

role = sys.argv[1]
session = Session()
bucket = session.default_bucket()
Path("abalone").mkdir()
lines = (f"{rings}," + ",".join(map(str, features)) for rings, features in abalone.rows(3000, 1))
Path("abalone/train.csv").write_text("".join(f"{line}\n" for line in lines))
data = session.upload_data("abalone/train.csv", bucket, "v3/train")
image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
trainer = ModelTrainer(
    training_image=image, role=role, sagemaker_session=session, base_job_name="abalone", hyperparameters={"num_round": 20, "objective": "reg:squarederror"},
    compute=Compute(instance_type="ml.m5.xlarge", instance_count=1), output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/v3/output"),
)  # fmt: skip
trainer.train(
    input_data_config=[InputData(channel_name="train", data_source=data, content_type="text/csv")], wait=True, logs=True
)
artifacts = trainer._latest_training_job.model_artifacts.s3_model_artifacts
builder = ModelBuilder(
    s3_model_data_url=artifacts, image_uri=image, role_arn=role, sagemaker_session=session, instance_type="ml.m5.large"
)
model = builder.build()
endpoint = builder.deploy(
    endpoint_name=f"v3-{trainer._latest_training_job.training_job_name}"[:63],
    instance_type="ml.m5.large",
    initial_instance_count=1,
)
row = ",".join(map(str, abalone.rows(1, 3)[0][1]))
answer = endpoint.invoke(body=row, content_type="text/csv", accept="text/csv").body.read().decode()
endpoint.delete()
model.delete()
print()
json.dump({"answer": float(answer), "truth": abalone.rows(1, 3)[0][0], "artifacts": artifacts}, sys.stdout)
