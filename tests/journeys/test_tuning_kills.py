"""`kill -9` of a server and its workers while it tunes: the tuning job ends with each trial started once."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
S3 = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
OVER = ("Completed", "Failed", "Stopped")


def request(role: str) -> dict[str, Any]:
    """Return the parameters of a tuning job of four trials, two at a time."""
    channels = [
        {
            "ChannelName": name,
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://tuning/rows"}},
        }
        for name in ("train", "validation")
    ]
    return {
        "HyperParameterTuningJobName": "killed",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}]},
            "RandomSeed": 1,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"num_round": "100"},
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": role,
            "InputDataConfig": channels,
            "OutputDataConfig": {"S3OutputPath": "s3://tuning/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    }


@pytest.mark.slow
def test_a_tuning_job_goes_on_after_each_kill(start: Callable[..., Any], tmp_path: Path) -> None:
    server = start(tmp_path / "data")
    server.client("s3").create_bucket(Bucket="tuning")
    iam = server.client("iam")
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="worker", PolicyName="s3", PolicyDocument=json.dumps(S3))
    rows = np.random.default_rng(0).random((200, 4))
    table = "".join(f"{row.sum()}," + ",".join(map(str, row)) + "\n" for row in rows)
    server.client("s3").put_object(Bucket="tuning", Key="rows/table.csv", Body=table.encode())
    server.client("sagemaker").create_hyper_parameter_tuning_job(**request(role))

    def job() -> dict[str, Any]:
        answer = server.client("sagemaker").describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="killed")
        assert answer["TrainingJobStatusCounters"]["InProgress"] <= 2
        return answer  # type: ignore[no-any-return]

    def until(done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + 180
        while not done(answer := job()):
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        return answer

    try:
        for moment in (
            lambda answer: True,
            lambda answer: answer["TrainingJobStatusCounters"]["InProgress"] > 0,
            lambda answer: answer["TrainingJobStatusCounters"]["Completed"] > 0,
        ):
            until(moment)
            server.process.send_signal(signal.SIGKILL)
            server.process.communicate()
            server = start(tmp_path / "data")
        ended = until(lambda answer: answer["HyperParameterTuningJobStatus"] in OVER)
        assert ended["HyperParameterTuningJobStatus"] == "Completed", ended
        assert ended["TrainingJobStatusCounters"]["Completed"] == 4
        sagemaker = server.client("sagemaker")
        trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="killed")
        names = [each["TrainingJobName"] for each in trials["TrainingJobSummaries"]]
        every = sagemaker.list_training_jobs(NameContains="killed")["TrainingJobSummaries"]
        assert sorted(each["TrainingJobName"] for each in every) == names
        assert [name[:11] for name in names] == [f"killed-00{number}-" for number in range(1, 5)]
        assert len({each["TunedHyperParameters"]["eta"] for each in trials["TrainingJobSummaries"]}) == 4
    finally:
        server.process.terminate()
        server.process.communicate(timeout=40)
