"""`kill -9` of a server in each of SageMaker's flows: jobs end as they should, endpoints answer again without being asked."""

import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
S3 = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
BUCKET = "flows"


class Flow:
    """A server that is killed and started again on the same data, with a role, a bucket and a training set."""

    def __init__(self, start: Callable[..., Any], data: Path) -> None:
        self._start = start
        self._data = data
        self.server = start(data)
        self.client("s3").create_bucket(Bucket=BUCKET)
        iam = self.client("iam")
        self.role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        iam.put_role_policy(RoleName="worker", PolicyName="s3", PolicyDocument=json.dumps(S3))
        draw = random.Random(0)
        rows = [[draw.random() for _ in range(4)] for _ in range(2000)]
        table = "".join(f"{sum(row)}," + ",".join(map(str, row)) + "\n" for row in rows)
        self.client("s3").put_object(Bucket=BUCKET, Key="train/table.csv", Body=table.encode())
        features = "".join(",".join(map(str, row)) + "\n" for row in rows)
        self.client("s3").put_object(Bucket=BUCKET, Key="batch/rows.csv", Body=features.encode())

    def client(self, service: str) -> Any:
        return self.server.client(service)

    @property
    def sagemaker(self) -> Any:
        return self.client("sagemaker")

    def kill_and_restart(self) -> None:
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.communicate()
        self.server = self._start(self._data)

    def train(self, name: str, rounds: int = 20) -> None:
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            RoleArn=self.role,
            HyperParameters={"num_round": str(rounds)},
            InputDataConfig=[
                {
                    "ChannelName": "train",
                    "ContentType": "text/csv",
                    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train"}},
                }
            ],
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )

    def until(self, describe: Callable[[], dict[str, Any]], *states: str, member: str, seconds: float = 90) -> Any:
        deadline = time.monotonic() + seconds
        while (answer := describe())[member] not in states:
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        return answer

    def trained(self, name: str, *states: str, member: str = "TrainingJobStatus") -> Any:
        return self.until(lambda: self.sagemaker.describe_training_job(TrainingJobName=name), *states, member=member)

    def model(self, name: str) -> None:
        self.train(name)
        job = self.trained(name, "Completed", "Failed")
        assert job["TrainingJobStatus"] == "Completed", job
        container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=self.role)

    def endpoint(self, name: str) -> None:
        self.model(name)
        variant = {"VariantName": "all", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def in_service(self, name: str) -> Any:
        return self.until(
            lambda: self.sagemaker.describe_endpoint(EndpointName=name), "InService", "Failed", member="EndpointStatus"
        )

    def ask(self, name: str) -> float:
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, ContentType="text/csv", Body=b"0.5,0.5,0.5,0.5"
        )
        return float(answer["Body"].read())


@pytest.fixture(scope="module")
def flow(start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    running = Flow(start, tmp_path_factory.mktemp("kills") / "data")
    yield running
    running.server.process.terminate()
    running.server.process.communicate(timeout=40)


@pytest.mark.parametrize("moment", ["Starting", "Training", "Completed"])
def test_a_training_job_ends_as_it_should(flow: Flow, moment: str) -> None:
    name = f"job-{moment.lower()}"
    flow.train(name, rounds=20 if moment != "Training" else 3000)
    flow.trained(name, moment, "Completed", member="SecondaryStatus")
    flow.kill_and_restart()
    job = flow.trained(name, "Completed", "Failed", "Stopped")
    assert job["TrainingJobStatus"] == "Completed", job
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    assert flow.client("s3").head_object(Bucket=BUCKET, Key=key)["ContentLength"] > 0


def test_an_endpoint_answers_again_without_being_asked(flow: Flow) -> None:
    flow.endpoint("again")
    assert flow.in_service("again")["EndpointStatus"] == "InService"
    before = flow.ask("again")
    flow.kill_and_restart()
    assert flow.in_service("again")["EndpointStatus"] == "InService"
    deadline = time.monotonic() + 30
    while True:
        try:
            assert flow.ask("again") == before
            break
        except flow.client("sagemaker-runtime").exceptions.ClientError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert before == pytest.approx(2, abs=0.3)


def test_an_endpoint_that_was_being_created_comes_up(flow: Flow) -> None:
    flow.endpoint("creating")
    flow.kill_and_restart()
    assert flow.in_service("creating")["EndpointStatus"] == "InService"
    assert flow.ask("creating") == pytest.approx(2, abs=0.3)


def test_an_update_that_was_cut_short_is_finished(flow: Flow) -> None:
    flow.endpoint("update")
    flow.in_service("update")
    variant = {"VariantName": "other", "ModelName": "update", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    flow.sagemaker.create_endpoint_config(EndpointConfigName="update-2", ProductionVariants=[variant])
    flow.sagemaker.update_endpoint(EndpointName="update", EndpointConfigName="update-2")
    flow.kill_and_restart()
    endpoint = flow.in_service("update")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "update-2")
    assert [each["VariantName"] for each in endpoint["ProductionVariants"]] == ["other"]


def test_a_transform_is_done_once_and_whole(flow: Flow) -> None:
    flow.model("batch")
    flow.sagemaker.create_transform_job(
        TransformJobName="batch",
        ModelName="batch",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        BatchStrategy="SingleRecord",
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/answers", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    flow.until(
        lambda: flow.sagemaker.describe_transform_job(TransformJobName="batch"),
        "InProgress",
        member="TransformJobStatus",
    )
    time.sleep(1)
    flow.kill_and_restart()
    job = flow.until(
        lambda: flow.sagemaker.describe_transform_job(TransformJobName="batch"),
        "Completed", "Failed", "Stopped",
        member="TransformJobStatus",
    )  # fmt: skip
    assert job["TransformJobStatus"] == "Completed", job
    answers = flow.client("s3").get_object(Bucket=BUCKET, Key="answers/rows.csv.out")["Body"].read().decode()
    assert len(answers.splitlines()) == 2000
