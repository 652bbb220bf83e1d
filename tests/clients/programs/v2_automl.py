"""SageMaker SDK v2: AutoMLV2 on a table of two classes, the best candidate deployed, and the older AutoML on the same."""

import json
import sys
from pathlib import Path

import numpy as np
import sagemaker
from sagemaker.automl.automl import AutoML
from sagemaker.automl.automlv2 import AutoMLDataChannel, AutoMLTabularConfig, AutoMLV2
from sagemaker.deserializers import CSVDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

role = sys.argv[1]
session = sagemaker.Session()
bucket = session.default_bucket()
draw = np.random.default_rng(0)
lines = ["tenure,plan,churn"]
for _ in range(300):
    tenure, plan = int(draw.integers(1, 60)), str(draw.choice(["basic", "plus", "pro"]))
    lines.append(f"{tenure},{plan},{'yes' if tenure < 20 + 15 * (plan == 'basic') else 'no'}")
Path("churn.csv").write_text("\n".join(lines) + "\n")
data = session.upload_data("churn.csv", bucket, "automl/churn")
job = AutoMLV2(
    problem_config=AutoMLTabularConfig(target_attribute_name="churn", max_candidates=2, problem_type="BinaryClassification"),
    base_job_name="churn", output_path=f"s3://{bucket}/automl/output", job_objective={"MetricName": "Accuracy"}, role=role,
    sagemaker_session=session,
)  # fmt: skip
job.fit(AutoMLDataChannel(s3_data_type="S3Prefix", s3_uri=data, channel_type="training"), wait=True, logs=True)
described = job.describe_auto_ml_job()
candidates = [each["CandidateName"] for each in job.list_candidates()]
best = job.best_candidate()
predictor = job.deploy(
    1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer(), predictor_cls=Predictor,
    inference_response_keys=["predicted_label", "probability"],
)  # fmt: skip
answers = predictor.predict("5,basic\n55,pro")
predictor.delete_model()
predictor.delete_endpoint()

older = AutoML(
    role, "churn", base_job_name="older", output_path=f"s3://{bucket}/automl/output", sagemaker_session=session,
    max_candidates=1, problem_type="BinaryClassification", job_objective={"MetricName": "F1"},
)  # fmt: skip
older.fit(data, wait=True, logs=True)
attached = AutoML.attach(older.current_job_name, sagemaker_session=session)
print()
json.dump(
    {
        "status": described["AutoMLJobStatus"],
        "best": best["CandidateName"],
        "candidates": candidates,
        "metric": best["FinalAutoMLJobObjectiveMetric"],
        "answers": answers,
        "older": attached.best_candidate()["FinalAutoMLJobObjectiveMetric"]["MetricName"],
    },
    sys.stdout,
)
