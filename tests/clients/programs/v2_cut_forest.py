"""SageMaker SDK v2, flow 2: Random Cut Forest from record_set to anomaly scores."""

import json
import sys

import numpy as np
import sagemaker
from sagemaker import RandomCutForest
from sagemaker.deserializers import JSONDeserializer
from sagemaker.serializers import CSVSerializer

role = sys.argv[1]
session = sagemaker.Session()
bucket = session.default_bucket()
hours = np.arange(2000)
rides = 10_000 + 4_000 * np.sin(hours / 24 * 2 * np.pi) + np.random.default_rng(1).normal(0, 300, len(hours))
rides[1500] = 40_000
forest = RandomCutForest(
    role, instance_count=1, instance_type="ml.m4.xlarge", data_location=f"s3://{bucket}/taxi", output_path=f"s3://{bucket}/taxi/output",
    num_samples_per_tree=512, num_trees=50, sagemaker_session=session,
)  # fmt: skip
forest.fit(forest.record_set(rides.reshape(-1, 1).astype(np.float32)), logs=True)
predictor = forest.deploy(1, "ml.m4.xlarge")
predictor.serializer, predictor.deserializer = CSVSerializer(), JSONDeserializer()
scores = [each["score"] for each in predictor.predict(rides.reshape(-1, 1))["scores"]]
predictor.delete_model()
predictor.delete_endpoint()
print()
json.dump(
    {"highest": int(np.argmax(scores)), "count": len(scores), "ratio": max(scores) / float(np.median(scores))},
    sys.stdout,
)
