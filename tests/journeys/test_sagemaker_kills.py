"""`kill -9` of a server in each of SageMaker's flows: jobs end as they should, endpoints answer again without being asked."""

import json
import random
import signal
import time
from collections.abc import Callable, Iterator
from functools import cached_property
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
        self.client("s3").put_object(
            Bucket=BUCKET,
            Key="tables/rows.csv",
            Body=b"y,a,b,c,d\n" + "".join(table.splitlines(keepends=True)[:300]).encode(),
        )
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
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train"}}
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            RoleArn=self.role,
            HyperParameters={"num_round": str(rounds)},
            InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": source}],
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )

    def until(self, describe: Callable[[], dict[str, Any]], *states: object, member: str, seconds: float = 90) -> Any:
        deadline = time.monotonic() + seconds
        while (answer := describe())[member] not in states:
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        return answer

    def trained(self, name: str, *states: str, member: str = "TrainingJobStatus") -> Any:
        return self.until(lambda: self.sagemaker.describe_training_job(TrainingJobName=name), *states, member=member)

    @cached_property
    def artifacts(self) -> str:
        """The archive of a model that one training job left."""
        self.train("model")
        job = self.trained("model", "Completed", "Failed")
        assert job["TrainingJobStatus"] == "Completed", job
        return str(job["ModelArtifacts"]["S3ModelArtifacts"])

    def model(self, name: str, **container: str) -> None:
        primary = {"Image": IMAGE, "ModelDataUrl": self.artifacts} | container
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=primary, ExecutionRoleArn=self.role)

    def endpoint(self, name: str, container: dict[str, str] | None = None, **configuration: Any) -> None:
        self.model(name, **container or {})
        variant = {"VariantName": "all", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **configuration)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def in_service(self, name: str) -> Any:
        return self.until(
            lambda: self.sagemaker.describe_endpoint(EndpointName=name), "InService", "Failed", member="EndpointStatus"
        )

    def ask(self, name: str, **target: str) -> float:
        """Return an endpoint's answer, which may be refused for a while after a restart."""
        runtime, deadline = self.client("sagemaker-runtime"), time.monotonic() + 30
        while True:
            try:
                answer = runtime.invoke_endpoint(
                    EndpointName=name, ContentType="text/csv", Body=b"0.5,0.5,0.5,0.5", **target
                )
                return float(answer["Body"].read())
            except runtime.exceptions.ClientError:
                assert time.monotonic() < deadline
                time.sleep(0.1)

    def objects(self, prefix: str) -> list[str]:
        found = self.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", ())]


@pytest.fixture(scope="module")
def flow(start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    running = Flow(start, tmp_path_factory.mktemp("kills") / "data")
    yield running
    running.server.process.terminate()
    running.server.process.communicate(timeout=40)


@pytest.fixture
def ended(flow: Flow) -> Iterator[None]:
    """Delete the endpoints of a test, so that the next start has none to bring up."""
    yield
    for each in flow.sagemaker.list_endpoints()["Endpoints"]:
        flow.sagemaker.delete_endpoint(EndpointName=each["EndpointName"])


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


@pytest.mark.slow
@pytest.mark.usefixtures("ended")
def test_endpoints_answer_again_without_being_asked_and_what_they_accepted(flow: Flow) -> None:
    s3 = flow.client("s3")
    archive = {"Bucket": BUCKET, "Key": flow.artifacts.removeprefix(f"s3://{BUCKET}/")}
    for name in ("one.tar.gz", "two.tar.gz"):
        s3.copy_object(Bucket=BUCKET, Key=f"many/{name}", CopySource=archive)
    row = b"0.5,0.5,0.5,0.5\n"
    s3.put_object(Bucket=BUCKET, Key="later.csv", Body=row * 40_000)
    flow.endpoint("one")
    flow.endpoint("many", {"ModelDataUrl": f"s3://{BUCKET}/many/", "Mode": "MultiModel"})
    line = {"ClientConfig": {"MaxConcurrentInvocationsPerInstance": 1}}
    flow.endpoint("later", AsyncInferenceConfig=line | {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/later-out"}})
    for name in ("one", "many", "later"):
        assert flow.in_service(name)["EndpointStatus"] == "InService"
    before = [flow.ask("one"), flow.ask("many", TargetModel="one.tar.gz")]
    assert before == pytest.approx([2, 2], abs=0.3)
    accepted = [
        flow.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName="later", InputLocation=f"s3://{BUCKET}/later.csv", ContentType="text/csv"
        )["OutputLocation"]
        for _ in range(6)
    ]
    assert len(flow.objects("later-out/")) < len(accepted)
    flow.kill_and_restart()
    for name in ("one", "many", "later"):
        assert flow.in_service(name)["EndpointStatus"] == "InService"
    assert [flow.ask("one"), flow.ask("many", TargetModel="one.tar.gz")] == before
    assert flow.ask("many", TargetModel="two.tar.gz") == before[0]
    flow.until(lambda: {"count": len(flow.objects("later-out/"))}, len(accepted), member="count")
    keys = [each.removeprefix(f"s3://{BUCKET}/") for each in accepted]
    assert sorted(keys) == sorted(flow.objects("later-out/"))
    for key in keys:
        lines = flow.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().split()
        assert (len(lines), float(lines[0])) == (40_000, before[0])


@pytest.mark.usefixtures("ended")
def test_an_endpoint_that_was_being_created_comes_up(flow: Flow) -> None:
    flow.endpoint("creating")
    flow.kill_and_restart()
    assert flow.in_service("creating")["EndpointStatus"] == "InService"
    assert flow.ask("creating") == pytest.approx(2, abs=0.3)


@pytest.mark.usefixtures("ended")
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
    wanted = [{"VariantName": "other", "DesiredWeight": 0.5, "DesiredInstanceCount": 2}]
    flow.sagemaker.update_endpoint_weights_and_capacities(EndpointName="update", DesiredWeightsAndCapacities=wanted)
    flow.kill_and_restart()
    [variant] = flow.in_service("update")["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (2, 0.5)


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


def test_a_processing_job_is_done_whole(flow: Flow) -> None:
    data = {"S3Uri": f"s3://{BUCKET}/train", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
    output = {"S3Uri": f"s3://{BUCKET}/baseline", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    image = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
    flow.sagemaker.create_processing_job(
        ProcessingJobName="baseline",
        RoleArn=flow.role,
        AppSpecification={"ImageUri": image},
        ProcessingInputs=[{"InputName": "in", "S3Input": data}],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": output}]},
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
        Environment={
            "dataset_format": '{"csv": {"header": false}}',
            "dataset_source": data["LocalPath"],
            "output_path": output["LocalPath"],
        },
    )
    flow.kill_and_restart()
    job = flow.until(
        lambda: flow.sagemaker.describe_processing_job(ProcessingJobName="baseline"),
        "Completed", "Failed", "Stopped",
        member="ProcessingJobStatus",
    )  # fmt: skip
    assert job["ProcessingJobStatus"] == "Completed", job
    assert flow.objects("baseline/") == ["baseline/constraints.json", "baseline/statistics.json"]


@pytest.mark.slow
def test_an_automl_job_ends_with_its_candidates(flow: Flow) -> None:
    flow.sagemaker.create_auto_ml_job_v2(
        AutoMLJobName="automl",
        AutoMLJobInputDataConfig=[
            {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/tables/rows.csv"}}}
        ],
        AutoMLProblemTypeConfig={
            "TabularJobConfig": {"TargetAttributeName": "y", "CompletionCriteria": {"MaxCandidates": 2}}
        },
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/automl"},
        RoleArn=flow.role,
    )

    def describe() -> Any:
        return flow.sagemaker.describe_auto_ml_job_v2(AutoMLJobName="automl")

    flow.until(describe, "ModelTuning", "Completed", "Failed", member="AutoMLJobSecondaryStatus")
    flow.kill_and_restart()
    job = flow.until(describe, "Completed", "Failed", "Stopped", member="AutoMLJobStatus")
    assert job["AutoMLJobStatus"] == "Completed", job
    candidates = flow.sagemaker.list_candidates_for_auto_ml_job(AutoMLJobName="automl")["Candidates"]
    assert {each["CandidateStatus"] for each in candidates} == {"Completed"}
    assert job["BestCandidate"]["CandidateName"] in {each["CandidateName"] for each in candidates}
    archive = job["BestCandidate"]["InferenceContainers"][0]["ModelDataUrl"].removeprefix(f"s3://{BUCKET}/")
    assert flow.objects(archive) == [archive]
