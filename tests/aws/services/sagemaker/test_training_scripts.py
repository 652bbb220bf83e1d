"""Training jobs of users' scripts, from their source in S3 to an endpoint that answers with what they saved."""

import io
import json
import re
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.server.sandbox import Isolation, isolation

pytestmark = pytest.mark.skipif(
    isolation(trust=True) is not Isolation.BUBBLEWRAP, reason="scripts need bubblewrap for /opt/ml"
)
Made = Callable[..., dict[str, Any]]
TRAIN = """
import argparse, json, os, shutil
import boto3, joblib
import numpy as np
from botocore.exceptions import ClientError
from sklearn.linear_model import LinearRegression

parser = argparse.ArgumentParser()
parser.add_argument("--bucket")
parser.add_argument("--fit_intercept")
given = parser.parse_args()
assert not [name for name in os.environ if name.startswith("HEADRACE") or name == "AWS_SECRET_ACCESS_KEY"], os.environ
rows = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "rows.csv"), delimiter=",")
model = LinearRegression(fit_intercept=given.fit_intercept == "True").fit(rows[:, 1:], rows[:, 0])
print(f"train_r2={model.score(rows[:, 1:], rows[:, 0]):.4f};")
joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
os.mkdir(os.path.join(os.environ["SM_MODEL_DIR"], "code"))
shutil.copy("inference.py", os.path.join(os.environ["SM_MODEL_DIR"], "code"))
s3 = boto3.client("s3")
s3.put_object(Bucket=given.bucket, Key="written/by-the-role", Body=boto3.client("sts").get_caller_identity()["Arn"])
try:
    boto3.client("iam").list_users()
except ClientError as error:
    denied = error.response["Error"]["Code"]
json.dump({"denied": denied, "method": boto3.Session().get_credentials().method}, open("/opt/ml/output/data/seen.json", "w"))
"""
INFERENCE = """
import json, os
import joblib
import numpy as np


def model_fn(folder):
    return joblib.load(os.path.join(folder, "model.joblib"))


def input_fn(body, content_type):
    assert content_type == "application/json", content_type
    return np.array(json.loads(body)["rows"])


def output_fn(prediction, accept):
    return json.dumps({"answers": prediction.tolist()}), "application/json"
"""


def place(uri: str) -> dict[str, str]:
    """Return bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def content(client: Callable[..., Any], uri: str) -> dict[str, bytes]:
    """Return the files of an archive in S3."""
    with tarfile.open(fileobj=io.BytesIO(client("s3").get_object(**place(uri))["Body"].read())) as archive:
        return {each.name: archive.extractfile(each).read() for each in archive if each.isfile()}  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_script_is_trained_and_served_with_its_roles_rights(
    client: Callable[..., Any],
    job: Made,
    train: Made,
    bucket: str,
    role: str,
    configure: Any,
    endpoint: Any,
    sklearn_image: str,
) -> None:
    request = job(
        {"train.py": TRAIN, "inference.py": INFERENCE}, {"bucket": json.dumps(bucket), "fit_intercept": "true"}
    )
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "train:r2", "Regex": "train_r2=(.*?);"}]
    ended = train(request)
    assert ended["TrainingJobStatus"] == "Completed", ended
    assert {each["MetricName"]: each["Value"] for each in ended["FinalMetricDataList"]} == {"train:r2": 1.0}
    model = ended["ModelArtifacts"]["S3ModelArtifacts"]
    assert set(content(client, model)) == {"model.joblib", "code/inference.py"}
    seen = json.loads(content(client, model.replace("model.tar.gz", "output.tar.gz"))["seen.json"])
    assert seen == {"denied": "AccessDenied", "method": "custom-process"}
    arn = client("s3").get_object(Bucket=bucket, Key="written/by-the-role")["Body"].read().decode()
    assert arn.endswith(f":assumed-role/{role.rpartition('/')[2]}/SageMaker")
    served = endpoint(configure(client("s3").get_object(**place(model))["Body"].read(), image=sklearn_image))
    answer = client("sagemaker-runtime").invoke_endpoint(
        EndpointName=served, ContentType="application/json", Body=b'{"rows": [[3, 2], [0, 0]]}'
    )
    assert json.loads(answer["Body"].read())["answers"] == pytest.approx([8, 1])
    with pytest.raises(ClientError, match="AssertionError: text/csv") as refused:
        client("sagemaker-runtime").invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"1,2")
    assert refused.value.response["OriginalStatusCode"] == 500


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "raise ValueError('no column Churn')",
            r"AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage \"Traceback.*"
            r'ValueError: no column Churn"\nCommand ".*python train.py", exit code: 1',
        ),
        (
            "open('/opt/ml/output/failure', 'w').write('the table is empty'); raise SystemExit(7)",
            "AlgorithmError: the table is empty, exit code: 7",
        ),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            r"AlgorithmError: ExecuteUserScriptError:\nExitCode 137.*, exit code: 137",
        ),
    ],
)
def test_a_script_that_fails_says_why(job: Made, train: Made, script: str, reason: str) -> None:
    ended = train(job({"train.py": script}))
    assert ended["TrainingJobStatus"] == ended["SecondaryStatus"] == "Failed"
    assert re.fullmatch(reason, ended["FailureReason"], re.DOTALL), ended["FailureReason"]


@pytest.mark.slow
def test_a_source_that_is_none_is_refused(job: Made, train: Made, archive: Callable[..., bytes]) -> None:
    linked = io.BytesIO()
    with tarfile.open(fileobj=linked, mode="w:gz") as tar:
        link = tarfile.TarInfo("train.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    cases = {
        b"no archive": "archive",
        linked.getvalue(): "a symbolic link",
        archive({"../../train.py": b""}): "../../train.py",
        archive({"other.py": b""}): "entry point train.py is not in the source, which holds other.py",
    }
    for source, says in cases.items():
        reason = train(job(source))["FailureReason"]
        assert says in reason, reason


def test_an_isolated_job_has_no_network_and_no_credentials(job: Made, train: Made) -> None:
    script = """
import os, socket
assert not [name for name in os.environ if name.startswith("AWS_") and not name.endswith("REGION")], os.environ
assert not os.path.exists("/run/role")
assert socket.if_nameindex() == [(1, "lo")]
"""
    ended = train(job({"train.py": script}, EnableNetworkIsolation=True))
    assert ended["TrainingJobStatus"] == "Completed", ended["FailureReason"]
    asking = {"train.py": script, "requirements.txt": "./mine"}
    reason = train(job(asking, EnableNetworkIsolation=True))["FailureReason"]
    assert "ClientError: requirements.txt has more than names and versions of packages" in reason


def test_an_isolated_model_has_no_network(
    client: Callable[..., Any],
    role: str,
    upload: Any,
    archive: Any,
    unique: Any,
    endpoint: Any,
    sklearn_image: str,
) -> None:
    script = b"""
import os, socket
model_fn = lambda folder: None
transform_fn = lambda *_: ",".join([name for _, name in socket.if_nameindex()] + [os.environ.get("AWS_ACCESS_KEY_ID", "none")])
"""
    name, sagemaker = unique("isolated"), client("sagemaker")
    container = {"Image": sklearn_image, "ModelDataUrl": upload("model.tar.gz", archive({"code/inference.py": script}))}
    sagemaker.create_model(
        ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role, EnableNetworkIsolation=True
    )
    variant = {"VariantName": "a", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    answer = client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint(name), Body=b"{}")
    assert answer["Body"].read() == b"lo,none"


def test_a_script_that_is_stopped_leaves_its_model(
    client: Callable[..., Any], job: Made, until: Made, logged: Callable[..., list[str]]
) -> None:
    script = """
import signal, sys, time

def end(*_):
    open("/opt/ml/model/last", "w").write("saved at SIGTERM")
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
print("epoch 1 begins", flush=True)
time.sleep(600)
"""
    request, sagemaker = job({"train.py": script}), client("sagemaker")
    sagemaker.create_training_job(**request)
    logged(request["TrainingJobName"], "epoch 1 begins")
    sagemaker.stop_training_job(TrainingJobName=request["TrainingJobName"])
    ended = until(request["TrainingJobName"])
    assert ended["TrainingJobStatus"] == ended["SecondaryStatus"] == "Stopped"
    assert content(client, ended["ModelArtifacts"]["S3ModelArtifacts"]) == {"last": b"saved at SIGTERM"}


def test_checkpoints_of_spot_jobs_come_back(client: Callable[..., Any], job: Made, train: Made, bucket: str) -> None:
    script = """
import pathlib
state = pathlib.Path("/opt/ml/checkpoints/deep/state")
state.parent.mkdir(exist_ok=True)
state.write_text(state.read_text() + "+1" if state.exists() else "1")
"""
    members: dict[str, Any] = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
        "CheckpointConfig": {"S3Uri": f"s3://{bucket}/checkpoints"},
    }
    for expected in (b"1", b"1+1"):
        ended = train(job({"train.py": script}, **members))
        assert ended["TrainingJobStatus"] == "Completed", ended["FailureReason"]
        state = client("s3").get_object(Bucket=bucket, Key="checkpoints/deep/state")
        assert state["Body"].read() == expected
    assert ended["BillableTimeInSeconds"] <= ended["TrainingTimeInSeconds"]
