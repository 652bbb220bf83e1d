"""SageMaker SDK v2: a scikit-learn script, trained and served by AWS's framework image."""

import json
import sys
from pathlib import Path

import numpy as np
import sagemaker
from sagemaker.sklearn import SKLearn

SCRIPT = """
import argparse, json, os
import joblib
import numpy as np
from sklearn.linear_model import Ridge


def model_fn(folder):
    return joblib.load(os.path.join(folder, "model.joblib"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    given, _ = parser.parse_known_args()
    table = np.loadtxt(os.path.join(given.train, "train.csv"), delimiter=",")
    model = Ridge(alpha=given.alpha).fit(table[:, 1:], table[:, 0])
    print(f"train_r2={model.score(table[:, 1:], table[:, 0]):.4f};")
    joblib.dump(model, os.path.join(given.model_dir, "model.joblib"))
"""

role = sys.argv[1]
session = sagemaker.Session()
bucket = session.default_bucket()
Path("source").mkdir()
Path("source/train.py").write_text(SCRIPT)
draw = np.random.default_rng(0)
features = draw.normal(size=(500, 4))
table = np.column_stack([features @ [1.0, -2.0, 0.5, 3.0] + 1, features])
np.savetxt("train.csv", table, delimiter=",")
data = session.upload_data("train.csv", bucket, "ridge/train")
estimator = SKLearn(
    entry_point="train.py", source_dir="source", framework_version="1.2-1", py_version="py3", role=role, instance_type="ml.m5.large",
    instance_count=1, sagemaker_session=session, hyperparameters={"alpha": 0.001}, metric_definitions=[{"Name": "train:r2", "Regex": "train_r2=(.*?);"}],
)  # fmt: skip
estimator.fit({"train": data}, logs="All")
metrics = {
    each["MetricName"]: each["Value"] for each in estimator.latest_training_job.describe()["FinalMetricDataList"]
}
predictor = estimator.deploy(1, "ml.m5.large")
answers = predictor.predict(features[:3])
predictor.delete_model()
predictor.delete_endpoint()
print()
json.dump({"metrics": metrics, "answers": answers.tolist(), "truth": table[:3, 0].tolist()}, sys.stdout)
