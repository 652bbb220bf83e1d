"""SageMaker SDK v2, flow 1 of AWS's samples without tuning: fit on abalone, deploy, predict, delete."""

import json
import sys
from pathlib import Path

import abalone
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import LibSVMSerializer

role = sys.argv[1]
session = sagemaker.Session()
bucket = session.default_bucket()
train = session.upload_data(str(abalone.write(Path("abalone"), "train.libsvm", 3000, 1)), bucket, "abalone/train")
validation = session.upload_data(
    str(abalone.write(Path("abalone"), "validation.libsvm", 1000, 2)), bucket, "abalone/validation"
)
image = sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
estimator = Estimator(
    image, role, instance_count=1, instance_type="ml.m5.xlarge", output_path=f"s3://{bucket}/abalone/output", sagemaker_session=session,
    hyperparameters={"objective": "reg:linear", "num_round": "50", "max_depth": "5", "eta": "0.2", "subsample": "0.7"},
)  # fmt: skip
estimator.fit(
    {"train": TrainingInput(train, content_type="text/x-libsvm"), "validation": TrainingInput(validation, content_type="text/x-libsvm")},
    logs="All",
)  # fmt: skip
described = estimator.latest_training_job.describe()
predictor = estimator.deploy(1, "ml.m5.large", serializer=LibSVMSerializer(), deserializer=CSVDeserializer())
answers = [
    float(predictor.predict(" ".join(f"{at}:{value}" for at, value in enumerate(features, 1)))[0][0])
    for _, features in abalone.rows(5, 3)
]
predictor.delete_model()
predictor.delete_endpoint()
print()
json.dump(
    {"status": described["TrainingJobStatus"], "metrics": [each["MetricName"] for each in described["FinalMetricDataList"]],
     "answers": answers, "truth": [rings for rings, _ in abalone.rows(5, 3)], "endpoint": predictor.endpoint_name}, sys.stdout
)  # fmt: skip
