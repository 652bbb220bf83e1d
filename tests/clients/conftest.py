"""Other programs of AWS's clients: virtual environments of their own, which `make test-clients` makes."""

import importlib.util
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

collect_ignore = ["sagemaker_session.py", "programs"]
ENVIRONMENTS = Path(__file__).parents[2] / ".venv-clients"
Run = Callable[..., subprocess.CompletedProcess[str]]
AWS = Path(sys.executable).with_name("aws")
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
"""As a list: version 3 of the SDK reads no statement that stands alone."""
SOON = {"Delay": 1, "MaxAttempts": 200}
"""How often a waiter looks: its own 30 to 120 seconds are AWS's pace."""


@pytest.fixture
def python_of() -> Callable[[str], Path]:
    """Return what names the Python of a client's environment, and skips the test where there is none."""

    def find(name: str) -> Path:
        if not (ENVIRONMENTS / name / "ready").exists():
            pytest.skip(f"{name} has no environment of its own here: make test-clients makes it (918 MB for both)")
        return ENVIRONMENTS / name / "bin" / "python"

    return find


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command in an otherwise empty home, with nothing set that points it anywhere."""

    def execute(*command: object) -> subprocess.CompletedProcess[str]:
        strange = ("AWS_", "HEADRACE_", "HTTP", "SAGEMAKER_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        done = subprocess.run(
            [str(word) for word in command],
            cwd=tmp_path, env=environment | {"HOME": str(tmp_path)}, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return execute


@pytest.fixture
def headrace(server: Any) -> Callable[..., list[str]]:
    """Return what writes a command of headrace on the running server's data."""
    return lambda command, *rest: [sys.executable, "-m", "headrace", command, "--data", str(server.data), *rest]


@pytest.fixture(params=["env", "env --proxy"])
def shell(request: pytest.FixtureRequest, run: Any, headrace: Any) -> Any:
    """Return what runs a line of a shell in which `eval "$(headrace env)"` was said before."""
    exports = run(*headrace(*request.param.split())).stdout
    prepared = f'eval {shlex.quote(exports)}; alias_aws() {{ {AWS} "$@"; }}'
    return lambda line: run("bash", "-euc", f"{prepared}; {line.replace('aws ', 'alias_aws ')}").stdout


@pytest.fixture(scope="session")
def role(server: Any) -> str:
    """Return the ARN of a role with the policies that AWS's samples attach."""
    iam, name = server.client("iam"), f"clients-{uuid4().hex[:8]}"
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    for policy in ("AmazonSageMakerFullAccess", "AmazonS3FullAccess"):
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return arn


@pytest.fixture(scope="session")
def aws(server: Any) -> Iterator[Callable[[str], Any]]:
    """Return what makes boto3's clients as a user does: by the environment alone, with boto3's own configuration."""
    import boto3

    keys = {name: server.credentials[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    session = boto3.session.Session(region_name="us-east-1", **keys)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", server.endpoint)
        yield session.client


@pytest.fixture(scope="session")
def abalone() -> ModuleType:
    """Return the module that makes up abalones, as the programs have it."""
    found = importlib.util.spec_from_file_location("abalone", Path(__file__).with_name("programs") / "abalone.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def bucket(aws: Callable[[str], Any]) -> str:
    name = f"flows-{uuid4().hex[:8]}"
    aws("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def upload(aws: Callable[[str], Any], bucket: str) -> Callable[[str, bytes], str]:
    """Return what puts bytes into the bucket under a key and returns their S3 URI."""

    def put(key: str, content: bytes) -> str:
        aws("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return f"s3://{bucket}/{key}"

    return put


@pytest.fixture(scope="session")
def train(aws: Callable[[str], Any], bucket: str, role: str) -> Callable[..., dict[str, Any]]:
    """Return what runs a training job to its end, waits by boto3's waiter, and returns its description."""

    def run(
        prefix: str, image: str, channels: dict[str, tuple[str, str]], hyperparameters: dict[str, str]
    ) -> dict[str, Any]:
        sagemaker, name = aws("sagemaker"), f"{prefix}-{uuid4().hex[:8]}"
        sagemaker.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
            RoleArn=role,
            HyperParameters=hyperparameters,
            InputDataConfig=[
                {
                    "ChannelName": channel,
                    "ContentType": kind,
                    "CompressionType": "None",
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": uri,
                            "S3DataDistributionType": "ShardedByS3Key" if "forest" in image else "FullyReplicated",
                        }
                    },
                }
                for channel, (uri, kind) in channels.items()
            ],
            OutputDataConfig={"S3OutputPath": f"s3://{bucket}/output"},
            ResourceConfig={"InstanceType": "ml.m5.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5},
            StoppingCondition={"MaxRuntimeInSeconds": 3600},
        )
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name, WaiterConfig=SOON)
        found: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        assert found["TrainingJobStatus"] == "Completed", found
        return found

    return run


@pytest.fixture(scope="session")
def models(abalone: ModuleType, train: Any, upload: Any) -> list[str]:
    """Return the archives in S3 of two XGBoost models of abalones, one of 10 rounds and one of 40."""
    lines = (f"{rings}," + ",".join(map(str, features)) for rings, features in abalone.rows(1500, 1))
    data = upload("models/train/abalone.csv", "".join(f"{line}\n" for line in lines).encode())
    jobs = [train("model", XGBOOST, {"train": (data, "text/csv")}, {"num_round": rounds}) for rounds in ("10", "40")]
    return [job["ModelArtifacts"]["S3ModelArtifacts"] for job in jobs]


@pytest.fixture(scope="session")
def row(abalone: ModuleType) -> str:
    """Return one abalone's features as CSV."""
    return ",".join(map(str, abalone.rows(1, 3)[0][1]))


@pytest.fixture(scope="session")
def create_model(aws: Callable[[str], Any], role: str) -> Callable[..., str]:
    """Return what creates a model of one container and returns its name."""

    def make(uri: str, image: str = XGBOOST, **more: Any) -> str:
        name = f"model-{uuid4().hex[:8]}"
        container = {"Image": image, "ModelDataUrl": uri} | more
        made = aws("sagemaker").create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
        assert made["ModelArn"].endswith(f":model/{name}")
        return name

    return make


@pytest.fixture
def deploy(aws: Callable[[str], Any]) -> Iterator[Callable[..., str]]:
    """Return what creates a configuration and an endpoint and waits for it; all of them are deleted with the test."""
    sagemaker, made = aws("sagemaker"), []

    def create(*variants: dict[str, Any], **more: Any) -> str:
        name = f"endpoint-{uuid4().hex[:8]}"
        given = [{"InstanceType": "ml.m5.large", "InitialInstanceCount": 1} | each for each in variants]
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=given, **more)
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        made.append(name)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=SOON)
        return name

    yield create
    for name in made:
        sagemaker.delete_endpoint(EndpointName=name)
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    for name in made:
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=SOON)


@pytest.fixture(scope="session")
def appears() -> Callable[..., None]:
    """Return what waits until a JMESPath of an operation's answer is true, as a waiter of a user's own does."""
    from botocore.waiter import WaiterModel, create_waiter_with_client

    def wait(client: Any, operation: str, path: str, **arguments: Any) -> None:
        until = [{"matcher": "path", "argument": path, "expected": True, "state": "success"}]
        waiter = {"operation": operation, "delay": 1, "maxAttempts": 200, "acceptors": until}
        model = WaiterModel({"version": 2, "waiters": {"Appears": waiter}})
        create_waiter_with_client("Appears", model, client).wait(**arguments)

    return wait
