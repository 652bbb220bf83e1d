"""SageMaker SDK v2, flow 4: data capture, the model monitor's baseline, a schedule, and the violations that it finds."""

import json
import sys
import time
from pathlib import Path

import abalone
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model_monitor import CronExpressionGenerator, DataCaptureConfig, DefaultModelMonitor
from sagemaker.model_monitor.dataset_format import DatasetFormat
from sagemaker.s3 import S3Downloader
from sagemaker.serializers import CSVSerializer

role = sys.argv[1]
session = sagemaker.Session()
bucket = session.default_bucket()
table = "".join(f"{rings}," + ",".join(map(str, features)) + "\n" for rings, features in abalone.rows(1500, 1))
Path("train.csv").write_text(table)
names = ["rings", "sex", "length", "diameter", "height", "weight", "shucked", "viscera", "shell"]
Path("baseline.csv").write_text(",".join(names[: table.partition("\n")[0].count(",") + 1]) + "\n" + table)
data = session.upload_data("train.csv", bucket, "monitored/train")
image = sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
estimator = Estimator(
    image, role, 1, "ml.m5.xlarge", output_path=f"s3://{bucket}/monitored/output", sagemaker_session=session, hyperparameters={"num_round": 10}
)  # fmt: skip
estimator.fit({"train": TrainingInput(data, content_type="text/csv")}, logs=False)
captured = f"s3://{bucket}/monitored/captured"
predictor = estimator.deploy(
    1, "ml.m5.large", serializer=CSVSerializer(), data_capture_config=DataCaptureConfig(True, 100, captured)
)

monitor = DefaultModelMonitor(role=role, instance_type="ml.m5.large", sagemaker_session=session)
monitor.suggest_baseline(
    baseline_dataset="baseline.csv",
    dataset_format=DatasetFormat.csv(header=True),
    output_s3_uri=f"s3://{bucket}/monitored/baseline",
    logs=False,
)
for _, features in abalone.rows(40, 2):
    predictor.predict([features[0], *(2 * value for value in features[1:])])
while not S3Downloader.list(f"{captured}/{predictor.endpoint_name}"):
    time.sleep(1)
monitor.create_monitoring_schedule(
    endpoint_input=predictor.endpoint_name,
    output_s3_uri=f"s3://{bucket}/monitored/reports",
    statistics=monitor.baseline_statistics(),
    constraints=monitor.suggested_constraints(),
    schedule_cron_expression=CronExpressionGenerator.now(),
    data_analysis_start_time="-PT1H",
    data_analysis_end_time="-PT0H",
    enable_cloudwatch_metrics=True,
)
while monitor.describe_schedule()["LastMonitoringExecutionSummary"]["MonitoringExecutionStatus"] in (
    "Pending",
    "InProgress",
):
    time.sleep(1)
summary = monitor.describe_schedule()["LastMonitoringExecutionSummary"]
violations = monitor.latest_monitoring_constraint_violations().body_dict["violations"]
rows = monitor.latest_monitoring_statistics().body_dict["dataset"]["item_count"]
monitor.delete_monitoring_schedule()
monitor.create_monitoring_schedule(
    endpoint_input=predictor.endpoint_name,
    output_s3_uri=f"s3://{bucket}/monitored/reports",
    statistics=monitor.baseline_statistics(),
    constraints=monitor.suggested_constraints(),
    schedule_cron_expression=CronExpressionGenerator.hourly(),
)
monitor.update_monitoring_schedule(schedule_cron_expression=CronExpressionGenerator.daily(hour=5), instance_count=2)
monitor.stop_monitoring_schedule()
monitor.start_monitoring_schedule()
changed = monitor.describe_schedule()
executions = monitor.list_executions()
monitor.delete_monitoring_schedule()
predictor.delete_endpoint()
print()
json.dump(
    {
        "status": summary["MonitoringExecutionStatus"],
        "violations": violations,
        "rows": rows,
        "changed": changed["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"],
        "executions": len(executions),
    },
    sys.stdout,
)
