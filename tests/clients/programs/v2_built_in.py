"""SageMaker SDK v2: its own classes of built-in algorithms, each from record_set to predictions as records."""

import json
import sys

import numpy as np
import sagemaker
from sagemaker import KNN, PCA, KMeans, LinearLearner

role = sys.argv[1]
session = sagemaker.Session()
bucket = session.default_bucket()
draw = np.random.default_rng(0)
groups = draw.integers(0, 3, 900)
rows = (np.array([[0, 0, 4], [5, 0, 0], [0, 6, 0]])[groups] + draw.normal(0, 0.5, (900, 3))).astype(np.float32)
labels = (groups == 2).astype(np.float32)
given = {"role": role, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": session}
told = {}


def answers(estimator: object, records: object, batch: int | None = None) -> list[dict[str, list[float]]]:
    """Fit, deploy, predict five rows, delete; return each record's label as lists."""
    estimator.data_location = f"s3://{bucket}/built-in"
    estimator.fit(records, mini_batch_size=batch, logs=False)
    predictor = estimator.deploy(1, "ml.m5.large")
    found = predictor.predict(rows[:5])
    predictor.delete_model()
    predictor.delete_endpoint()
    return [{key: list(value.float32_tensor.values) for key, value in each.label.items()} for each in found]


linear = LinearLearner(predictor_type="binary_classifier", epochs=30, learning_rate=0.05, **given)
linear.data_location = f"s3://{bucket}/built-in"
train, test = linear.record_set(rows, labels), linear.record_set(rows[:200], labels[:200], channel="test")
told["linear"] = answers(linear, [train, test], 100)
means = KMeans(k=3, **given)
means.data_location = f"s3://{bucket}/built-in"
told["means"] = answers(means, means.record_set(rows), 300)
components = PCA(num_components=2, **given)
components.data_location = f"s3://{bucket}/built-in"
told["components"] = answers(components, components.record_set(rows))
neighbors = KNN(k=5, sample_size=500, predictor_type="classifier", **given)
neighbors.data_location = f"s3://{bucket}/built-in"
told["neighbors"] = answers(neighbors, neighbors.record_set(rows, groups.astype(np.float32)))
print()
json.dump(told | {"groups": groups[:5].tolist()}, sys.stdout)
