"""What a user of SageMaker has before anything is measured: a role, a bucket, tables, models and endpoints, through boto3."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from benchmarks.server.servers import Server

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
JUMPSTART = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:1.12.0-cpu-py38"
LIGHTGBM_SOURCE = "s3://jumpstart-cache-prod-us-east-1/source-directory-tarballs/lightgbm/transfer_learning/regression/v2.2.0/sourcedir.tar.gz"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
S3 = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
BUCKET = "benchmark-serving"


@dataclass
class Account:
    """Clients of one server, a role that SageMaker may take, and a bucket that it may use."""

    server: Server
    sagemaker: Any = field(init=False)
    runtime: Any = field(init=False)
    s3: Any = field(init=False)
    role: str = field(init=False)

    def __post_init__(self) -> None:
        """Make the role and the bucket."""
        self.sagemaker, self.runtime = self.server.client("sagemaker"), self.server.client("sagemaker-runtime")
        self.s3, iam = self.server.client("s3"), self.server.client("iam")
        self.s3.create_bucket(Bucket=BUCKET)
        self.role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        iam.put_role_policy(RoleName="worker", PolicyName="s3", PolicyDocument=json.dumps(S3))

    def upload(self, key: str, content: bytes) -> str:
        """Put an object and return its URI."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return f"s3://{BUCKET}/{key}"

    def train(
        self,
        name: str,
        image: str,
        channels: Mapping[str, tuple[str, str]],
        hyperparameters: Mapping[str, object],
    ) -> tuple[str, float]:
        """Train by channels {name: (URI, content type)}; return the model's URI, and the seconds to Completed."""
        begin = time.perf_counter()
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
            RoleArn=self.role,
            HyperParameters={key: str(value) for key, value in hyperparameters.items()},
            InputDataConfig=[
                {
                    "ChannelName": channel,
                    "ContentType": content_type,
                    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
                }
                for channel, (uri, content_type) in channels.items()
            ],
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )
        job = until(lambda: self.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")
        seconds = time.perf_counter() - begin
        if job["TrainingJobStatus"] != "Completed":
            raise SystemExit(f"the training job {name} ended as {job['TrainingJobStatus']}: {job.get('FailureReason')}")
        return str(job["ModelArtifacts"]["S3ModelArtifacts"]), seconds

    def configure(self, name: str, container: Mapping[str, Any], instances: int = 1) -> None:
        """Make a model of a container and a configuration of one variant of it, both of that name."""
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=self.role)
        variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large"}
        variants = [{**variant, "InitialInstanceCount": instances}]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)

    def deploy(self, name: str, container: Mapping[str, Any]) -> float:
        """Make an endpoint of a container; return the seconds from CreateEndpoint to InService."""
        self.configure(name, container)
        begin = time.perf_counter()
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.settled(name)
        return time.perf_counter() - begin

    def settled(self, name: str) -> None:
        """Wait until an endpoint is in service."""
        found = until(lambda: self.sagemaker.describe_endpoint(EndpointName=name), "EndpointStatus")
        if found["EndpointStatus"] != "InService":
            raise SystemExit(f"the endpoint {name} is {found['EndpointStatus']}: {found.get('FailureReason')}")

    def lightgbm(self, rows: np.ndarray, labels: np.ndarray, trees: int = 100) -> str:
        """Train LightGBM as JumpStart does, by so many trees of at most 31 leaves; return the model's URI."""
        self.upload("lightgbm/train/data.csv", csv(np.column_stack([labels, rows])))
        self.upload("lightgbm/validation/data.csv", csv(np.column_stack([labels, rows])))
        parameters = {"num_boost_round": trees, "early_stopping_rounds": trees, "num_leaves": 31}
        channels = {"training": (f"s3://{BUCKET}/lightgbm/", "text/csv")}
        given = {**parameters, "sagemaker_submit_directory": LIGHTGBM_SOURCE}
        return self.train("lightgbm", JUMPSTART, channels, given)[0]


def until(describe: Callable[[], dict[str, Any]], member: str) -> dict[str, Any]:
    """Return the first description whose status is no passing one, asked for ten times a second."""
    while (found := describe())[member] in ("InProgress", "Stopping", "Creating", "Updating", "SystemUpdating"):
        time.sleep(0.1)
    return found


def csv(table: np.ndarray) -> bytes:
    """Return rows of numbers as text/csv."""
    return "".join(",".join(f"{value:.9g}" for value in row) + "\n" for row in table.tolist()).encode()


def libsvm(rows: np.ndarray, labels: np.ndarray) -> bytes:
    """Return rows of numbers as text/libsvm."""
    lines = (
        f"{label:g} " + " ".join(f"{place}:{value:.9g}" for place, value in enumerate(row, 1))
        for label, row in zip(labels.tolist(), rows.tolist(), strict=True)
    )
    return ("\n".join(lines) + "\n").encode()


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as a model.tar.gz."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def table(rows: int, columns: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return features [rows, columns] and a label [rows] that depends on them, float32."""
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(rows, columns)).astype(np.float32)
    label = features[:, 0] * 2 + np.sin(features[:, 1] * 3) + features[:, 2] * features[:, 3]
    return features, (label + draw.normal(size=rows) * 0.1).astype(np.float32)


def abalone(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a table of the shape of UCI's abalone: 4,177 rows of 8 measures, and the rings (1 to 29)."""
    draw = np.random.default_rng(seed)
    length = draw.beta(5, 3, size=4177)
    sex = draw.integers(0, 3, size=4177)
    measures = [length * scale + draw.normal(size=4177) * 0.02 for scale in (0.8, 0.28)]
    weights = [length**3 * scale * draw.lognormal(0, 0.1, size=4177) for scale in (2.0, 0.9, 0.45, 0.6)]
    rows = np.column_stack([sex, length, *measures, *weights]).astype(np.float32)
    rings = np.clip(np.round(4 + 12 * length + draw.normal(size=4177) * 2), 1, 29).astype(np.float32)
    return rows, rings
