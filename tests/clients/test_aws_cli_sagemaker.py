"""SageMaker by the AWS CLI in a shell: train, wait, deploy, invoke, delete."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

pytestmark = pytest.mark.clients

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
WAITING = 'until [ "$(aws sagemaker {describe} --query {member} --output text)" != {while_} ]; do sleep 1; done'
"""What a waiter does, at this machine's pace: those of the CLI look every 30 to 120 seconds."""


def test_a_model_is_trained_deployed_and_asked(
    shell: Any, abalone: ModuleType, bucket: str, role: str, row: str, tmp_path: Path
) -> None:
    name = f"cli-{uuid4().hex[:8]}"
    lines = (f"{rings}," + ",".join(map(str, features)) for rings, features in abalone.rows(1500, 1))
    (tmp_path / "train.csv").write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "row.csv").write_text(row)
    shell(f"aws s3 cp train.csv s3://{bucket}/{name}/train/ --no-progress")
    channel = {
        "ChannelName": "train",
        "ContentType": "text/csv",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{name}/train"}},
    }
    created = shell(
        f"aws sagemaker create-training-job --training-job-name {name} --role-arn {role} "
        f"--algorithm-specification TrainingImage={IMAGE},TrainingInputMode=File "
        f"--hyper-parameters num_round=20,objective=reg:squarederror --input-data-config '[{json.dumps(channel)}]' "
        f"--output-data-config S3OutputPath=s3://{bucket}/{name}/output --stopping-condition MaxRuntimeInSeconds=600 "
        "--resource-config InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=5"
    )
    assert json.loads(created)["TrainingJobArn"].endswith(f":training-job/{name}")
    job = f"describe-training-job --training-job-name {name}"
    shell(WAITING.format(describe=job, member="TrainingJobStatus", while_="InProgress"))
    shell(f"aws sagemaker wait training-job-completed-or-stopped --training-job-name {name}")
    described = json.loads(shell(f"aws sagemaker {job}"))
    assert described["TrainingJobStatus"] == "Completed", described
    metric = described["FinalMetricDataList"][0]
    assert (metric["MetricName"], metric["Value"] < 2) == ("train:rmse", True)
    assert "train-rmse" in shell(
        f"aws logs filter-log-events --log-group-name /aws/sagemaker/TrainingJobs --log-stream-name-prefix {name}"
    )

    artifacts = described["ModelArtifacts"]["S3ModelArtifacts"]
    shell(
        f"aws sagemaker create-model --model-name {name} --execution-role-arn {role} "
        f"--primary-container Image={IMAGE},ModelDataUrl={artifacts}; "
        f"aws sagemaker create-endpoint-config --endpoint-config-name {name} --production-variants "
        f"VariantName=all,ModelName={name},InitialInstanceCount=1,InstanceType=ml.m5.large,InitialVariantWeight=1; "
        f"aws sagemaker create-endpoint --endpoint-name {name} --endpoint-config-name {name}"
    )
    endpoint = f"describe-endpoint --endpoint-name {name}"
    shell(WAITING.format(describe=endpoint, member="EndpointStatus", while_="Creating"))
    shell(f"aws sagemaker wait endpoint-in-service --endpoint-name {name}")
    answer = json.loads(
        shell(
            f"aws sagemaker-runtime invoke-endpoint --endpoint-name {name} --content-type text/csv "
            "--body fileb://row.csv out.json"
        )
    )
    assert answer["InvokedProductionVariant"] == "all"
    assert 1 < float((tmp_path / "out.json").read_text()) < 30

    shell(f"aws sagemaker delete-endpoint --endpoint-name {name}")
    shell(f"aws sagemaker delete-endpoint-config --endpoint-config-name {name}")
    shell(f"aws sagemaker delete-model --model-name {name}")
    assert name not in shell("aws sagemaker list-endpoints") + shell("aws sagemaker list-models")
    with pytest.raises(AssertionError, match="Could not find"):
        shell(f"aws sagemaker {endpoint}")
