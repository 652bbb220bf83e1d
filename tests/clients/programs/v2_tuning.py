"""SageMaker SDK v2: a HyperparameterTuner over XGBoost on abalone, its analytics, the best model deployed."""

import json
import sys
from pathlib import Path

import abalone
import sagemaker
from sagemaker.analytics import HyperparameterTuningJobAnalytics
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import LibSVMSerializer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

role = sys.argv[1]
session = sagemaker.Session()
bucket = session.default_bucket()
channels = {
    name: TrainingInput(
        session.upload_data(str(abalone.write(Path("abalone"), f"{name}.libsvm", rows, rows)), bucket, f"tuned/{name}"),
        content_type="text/x-libsvm",
    )
    for name, rows in (("train", 600), ("validation", 200))
}
estimator = Estimator(
    sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1"), role, instance_count=1,
    instance_type="ml.m5.xlarge", output_path=f"s3://{bucket}/tuned/output", sagemaker_session=session,
    hyperparameters={"objective": "reg:linear", "num_round": "30"},
)  # fmt: skip
tuner = HyperparameterTuner(
    estimator,
    objective_metric_name="validation:rmse",
    objective_type="Minimize",
    hyperparameter_ranges={"eta": ContinuousParameter(0.1, 0.5), "max_depth": IntegerParameter(2, 8)},
    max_jobs=3,
    max_parallel_jobs=2,
    early_stopping_type="Auto",
    random_seed=1,
)
tuner.fit(channels)
table = HyperparameterTuningJobAnalytics(tuner.latest_tuning_job.name, session).dataframe()
attached = HyperparameterTuner.attach(tuner.latest_tuning_job.name, session)
best = attached.best_training_job()
attached.fit(channels, job_name=f"again-{tuner.latest_tuning_job.name[-11:]}", wait=False)
attached.stop_tuning_job()
again = attached.describe()["HyperParameterTuningJobStatus"]
predictor = tuner.deploy(1, "ml.m5.large", serializer=LibSVMSerializer(), deserializer=CSVDeserializer())
answers = [
    float(predictor.predict(" ".join(f"{at}:{value}" for at, value in enumerate(features, 1)))[0][0])
    for _, features in abalone.rows(5, 3)
]
predictor.delete_model()
predictor.delete_endpoint()
print()
json.dump(
    {
        "status": tuner.describe()["HyperParameterTuningJobStatus"],
        "best": tuner.best_training_job(),
        "attached": best,
        "again": again,
        "trials": dict(zip(table["TrainingJobName"], table["FinalObjectiveValue"], strict=True)),
        "answers": answers,
        "truth": [rings for rings, _ in abalone.rows(5, 3)],
    },
    sys.stdout,
)
