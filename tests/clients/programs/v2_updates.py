"""SageMaker SDK v2: an endpoint that serves is changed: attached estimators, more instances, data capture, serverless."""

import json
import sys
from pathlib import Path

import abalone
import sagemaker
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer
from sagemaker.serverless import ServerlessInferenceConfig

role = sys.argv[1]
session = sagemaker.Session()
bucket = session.default_bucket()
lines = (f"{rings}," + ",".join(map(str, features)) for rings, features in abalone.rows(800, 1))
Path("train.csv").write_text("".join(f"{line}\n" for line in lines))
data = TrainingInput(session.upload_data("train.csv", bucket, "updates/train"), content_type="text/csv")
image = sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
estimator = Estimator(
    image, role, 1, "ml.m5.xlarge", output_path=f"s3://{bucket}/updates/output", sagemaker_session=session,
    hyperparameters={"num_round": 10}, base_job_name="updates", max_run=600, use_spot_instances=True, max_wait=1200,
    checkpoint_s3_uri=f"s3://{bucket}/updates/checkpoints", tags=[{"Key": "team", "Value": "shells"}],
)  # fmt: skip
estimator.fit({"train": data, "validation": data}, logs=False)
attached = Estimator.attach(estimator.latest_training_job.name, session)
table = attached.training_job_analytics.dataframe()
row = ",".join(map(str, abalone.rows(1, 3)[0][1]))
predictor = attached.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=JSONDeserializer())
before = predictor.predict(row)["predictions"][0]["score"]
predictor.update_endpoint(initial_instance_count=2, instance_type="ml.m5.large")
described = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)
predictor.enable_data_capture()
after = predictor.predict(row)["predictions"][0]["score"]
capture = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)["DataCaptureConfig"]
monitors = predictor.list_monitors()
predictor.delete_model()
predictor.delete_endpoint()
serverless = attached.deploy(
    serverless_inference_config=ServerlessInferenceConfig(2048, 5), serializer=CSVSerializer(),
    deserializer=CSVDeserializer(),
)  # fmt: skip
rare = float(serverless.predict(row)[0][0])
serverless.delete_model()
serverless.delete_endpoint()
print()
json.dump(
    {
        "metrics": sorted(set(table["metric_name"])),
        "points": len(table),
        "before": before,
        "after": after,
        "rare": rare,
        "instances": described["ProductionVariants"][0]["CurrentInstanceCount"],
        "capture": capture["CaptureStatus"],
        "monitors": monitors,
    },
    sys.stdout,
)
