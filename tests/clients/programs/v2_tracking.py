"""SageMaker SDK v2's own tracking: runs with parameters, metrics, files and artifacts, a training job within a run."""

import json
import sys
from pathlib import Path
from uuid import uuid4

import abalone
import sagemaker
from sagemaker.analytics import ExperimentAnalytics, TrainingJobAnalytics
from sagemaker.experiments import Run, list_runs, load_run
from sagemaker.inputs import TrainingInput
from sagemaker.lineage.query import LineageFilter, LineageQuery, LineageQueryDirectionEnum

role = sys.argv[1]
session = sagemaker.Session()
name = f"Tracking-{uuid4().hex[:8]}"
Path("notes.txt").write_text("what was tried")
data = session.upload_data(str(abalone.write(Path("train"), "train.libsvm", 300, 1)), key_prefix="tracking/train")

with Run(experiment_name=name, run_name="first", sagemaker_session=session) as run:
    run.log_parameters({"rate": 0.1, "depth": 5, "kind": "boosted"})
    for step in range(25):
        run.log_metric("loss", 1 / (step + 1), step=step)
    run.log_file("notes.txt", name="notes", is_output=False)
    run.log_artifact("data", data, media_type="text/x-libsvm", is_output=False)
    image = sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    estimator = sagemaker.estimator.Estimator(
        image, role, 1, "ml.m5.large", sagemaker_session=session, output_path=f"s3://{session.default_bucket()}/tracking",
        hyperparameters={"num_round": 3, "objective": "reg:squarederror"},
    )  # fmt: skip
    estimator.fit({"train": TrainingInput(data, content_type="text/libsvm")}, logs=False)
    job = estimator.latest_training_job.describe()

with load_run(experiment_name=name, run_name="first", sagemaker_session=session) as run:
    run.log_parameter("later", "yes")
    run.log_metric("loss", 0.01, step=25)

with Run(experiment_name=name, run_name="second", sagemaker_session=session) as run:
    run.log_parameter("rate", 0.2)

try:
    with Run(experiment_name=name, run_name="third", sagemaker_session=session) as run:
        raise ValueError("told by the user's program")
except ValueError:
    pass

runs = list_runs(experiment_name=name.lower(), sagemaker_session=session)
table = ExperimentAnalytics(
    experiment_name=name.lower(), sort_by="parameters.rate", sagemaker_session=session
).dataframe()
of_metrics = TrainingJobAnalytics(job["TrainingJobName"], ["train:rmse"], session).dataframe()
component = session.sagemaker_client.describe_trial_component(TrialComponentName=f"{name}-first".lower())
failed = session.sagemaker_client.describe_trial_component(TrialComponentName=f"{name}-third".lower())
of_job = session.sagemaker_client.list_trial_components(SourceArn=job["TrainingJobArn"])["TrialComponentSummaries"]
queried = LineageQuery(session).query(
    start_arns=[of_job[0]["TrialComponentArn"]], direction=LineageQueryDirectionEnum.BOTH,
    query_filter=LineageFilter(), include_edges=True,
)  # fmt: skip
print()
json.dump(
    {
        "runs": sorted(each.run_name for each in runs),
        "parameters": component["Parameters"],
        "metrics": {each["MetricName"]: [each["Count"], each["Last"], each["Min"]] for each in component["Metrics"]},
        "inputs": component["InputArtifacts"],
        "status": component["Status"]["PrimaryStatus"],
        "failed": failed["Status"],
        "table": list(table["TrialComponentName"]),
        "columns": list(table.columns),
        "experiment": job["ExperimentConfig"],
        "job": [each["TrialComponentName"] for each in of_job],
        "name": job["TrainingJobName"],
        "curve": list(of_metrics["value"]),
        "lineage": sorted(each.lineage_entity + ":" + str(each.lineage_source) for each in queried.vertices),
    },
    sys.stdout,
)
