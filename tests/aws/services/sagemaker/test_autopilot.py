"""AutoML jobs through boto3: from a table in S3 to a model behind an endpoint."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Made = Callable[..., Any]


def churn(rows: int = 300, seed: int = 0) -> bytes:
    """Return a table with an identifier, numbers, a category with holes, and two classes, as CSV."""
    random = np.random.default_rng(seed)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "tenure", "plan", "spend", "churn"])
    for number in range(rows):
        tenure, plan = int(random.integers(1, 60)), random.choice(["basic", "plus", "pro"])
        spend = round(float(random.normal(50, 20)), 2)
        odds = 1.5 * (plan == "basic") + spend / 50 - 0.08 * tenure - 0.4
        label = "yes" if random.random() < 1 / (1 + np.exp(-odds)) else "no"
        writer.writerow([f"C{number:05d}", tenure, plan if random.random() > 0.03 else "", spend, label])
    return text.getvalue().encode()


@pytest.fixture
def create(client: Made, role: str, bucket: str, unique: Made) -> Callable[..., str]:
    """Return what creates an AutoML job on a table at an S3 URI and returns its name."""

    def make(uri: str, target: str = "churn", version: int = 2, **options: Any) -> str:
        name = options.pop("name", None) or unique("a")[:30]
        channel = {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
            **options.pop("channel", {}),
        }
        common = {
            "AutoMLJobName": name,
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/output"},
            "RoleArn": role,
            **options.pop("members", {}),
        }
        tabular = {"TargetAttributeName": target, "CompletionCriteria": {"MaxCandidates": 1}, **options}
        client("sagemaker").create_auto_ml_job_v2(
            AutoMLJobInputDataConfig=[channel], AutoMLProblemTypeConfig={"TabularJobConfig": tabular}, **common
        )
        return name

    return make


@pytest.fixture
def ended(client: Made, wait: Made) -> Callable[[str], dict[str, Any]]:
    """Return what waits for the end of an AutoML job and returns its description."""

    def until(name: str) -> dict[str, Any]:
        return wait(
            lambda: client("sagemaker").describe_auto_ml_job_v2(AutoMLJobName=name),
            lambda answer: answer["AutoMLJobStatus"] in ("Completed", "Failed", "Stopped"),
            120,
        )

    return until


def test_a_table_becomes_candidates_and_a_model(client: Made, create: Made, ended: Made, upload: Made, bucket: str):
    name = create(upload("data/churn.csv", churn()), CompletionCriteria={"MaxCandidates": 3})
    answer = ended(name)
    assert answer["AutoMLJobStatus"] == "Completed", answer
    print(json.dumps(answer, default=str, indent=1))
