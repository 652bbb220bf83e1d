"""Processing jobs through boto3: baselines of the model monitor, users' scripts, and what can't be processed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.server.sandbox import Isolation, isolation

ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ENDED = ("Completed", "Failed", "Stopped")
INPUT = "/opt/ml/processing/input/baseline_dataset_input"
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}
TABLE = b"label,age,plan\n" + b"".join(
    f"{number % 2},{20.5 + number % 40},{'basic' if number % 3 else 'gold'}\n".encode() for number in range(300)
)


def s3_input(name: str, uri: str, path: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"},
    }


def s3_output(name: str, uri: str, path: str, mode: str = "EndOfJob") -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}}


@pytest.fixture
def process(
    client: Callable[..., Any],
    role: str,
    bucket: str,
    unique: Callable[[str], str],
    wait: Callable[..., dict[str, Any]],
) -> Callable[..., dict[str, Any]]:
    """Return what runs a processing job to its end and returns its description."""

    def run(**request: Any) -> dict[str, Any]:
        sagemaker, name = client("sagemaker"), unique("process")
        outputs = [s3_output("out", f"s3://{bucket}/out", "/opt/ml/processing/output")]
        given = {"RoleArn": role, "ProcessingResources": CLUSTER, "ProcessingOutputConfig": {"Outputs": outputs}}
        sagemaker.create_processing_job(ProcessingJobName=name, **{**given, **request})
        return wait(
            lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda answer: answer["ProcessingJobStatus"] in ENDED,
            240,
        )

    return run


@pytest.fixture
def baseline(process: Callable[..., dict[str, Any]], upload: Callable[..., str]) -> Callable[..., dict[str, Any]]:
    """Return what makes a baseline of a dataset as the SageMaker SDK asks for one."""

    def make(content: bytes = TABLE, form: str = '{"csv": {"header": true}}', **request: Any) -> dict[str, Any]:
        environment = {
            "dataset_format": form,
            "dataset_source": INPUT,
            "output_path": "/opt/ml/processing/output",
            "publish_cloudwatch_metrics": "Disabled",
        }
        uri = upload("baseline/train.csv", content)
        return process(
            AppSpecification={"ImageUri": ANALYZER},
            ProcessingInputs=[s3_input("baseline_dataset_input", uri, INPUT)],
            Environment={**environment, **request.pop("variables", {})},
            **request,
        )

    return make


@pytest.fixture
def read(client: Callable[..., Any], bucket: str) -> Callable[[str], Any]:
    """Return what reads a JSON document of the bucket."""
    return lambda key: json.loads(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def test_a_baseline_job_writes_statistics_and_constraints(
    baseline: Callable[..., dict[str, Any]], read: Callable[[str], Any]
) -> None:
    done = baseline()
    assert done["ProcessingJobStatus"] == "Completed", done
    assert done["ExitMessage"] == "Completed: Job completed successfully with no violations."
    statistics, constraints = read("out/statistics.json"), read("out/constraints.json")
    assert statistics["dataset"] == {"item_count": 300}
    label, age, plan = statistics["features"]
    assert (label["inferred_type"], age["inferred_type"], plan["inferred_type"]) == ("Integral", "Fractional", "String")
    numbers = age["numerical_statistics"]
    assert numbers["common"] == {"num_present": 300, "num_missing": 0}
    assert (numbers["min"], numbers["max"]) == (20.5, 59.5)
    assert sum(bucket["count"] for bucket in numbers["distribution"]["kll"]["buckets"]) == 300
    assert plan["string_statistics"]["distinct_count"] == 2
    assert constraints["features"][1]["num_constraints"] == {"is_non_negative": True}
    assert constraints["features"][2]["string_constraints"] == {"domains": ["basic", "gold"]}
    assert constraints["monitoring_config"]["distribution_constraints"]["comparison_method"] == "Robust"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"content": b"a,b\n"},
            "AlgorithmError: the dataset under /opt/ml/processing/input/baseline_dataset_input has no",
        ),
        (
            {"variables": {"record_preprocessor_script": "/opt/ml/processing/a.py"}},
            "AlgorithmError: record_preprocessor",
        ),
        (
            {"variables": {"publish_cloudwatch_metrics": "Enabled"}},
            "AlgorithmError: CloudWatch publishing is available",
        ),
    ],
)
def test_what_has_no_baseline_fails_with_the_reason(
    baseline: Callable[..., dict[str, Any]], changes: dict[str, Any], reason: str
) -> None:
    done = baseline(**changes)
    assert done["ProcessingJobStatus"] == "Failed"
    assert done["FailureReason"].startswith(reason)
    assert "ExitMessage" not in done


def test_a_role_that_may_not_read_or_write_fails_the_job(
    baseline: Callable[..., dict[str, Any]], make_role: Callable[..., str], bucket: str
) -> None:
    anything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}

    def failed(action: str) -> str:
        denied = {"Effect": "Deny", "Action": action, "Resource": "*"}
        done = baseline(RoleArn=make_role({"Version": "2012-10-17", "Statement": [anything, denied]}))
        assert done["ProcessingJobStatus"] == "Failed"
        return str(done["FailureReason"])

    assert failed("s3:GetObject").startswith(
        "ClientError: Data download failed: AccessDenied (403): Access Denied to s3"
    )
    assert failed("s3:PutObject").startswith(
        f"ClientError: Data upload failed to s3://{bucket}/out: AccessDenied (403)"
    )


def test_inputs_and_buckets_that_are_not_there_fail_the_job(
    process: Callable[..., dict[str, Any]], bucket: str, upload: Callable[..., str]
) -> None:
    given = {"AppSpecification": {"ImageUri": ANALYZER}}
    missing = process(**given, ProcessingInputs=[s3_input("data", f"s3://{bucket}/nothing", INPUT)])
    assert missing["FailureReason"].startswith(f'ClientError: No S3 objects found under S3 URL "s3://{bucket}/nothing"')
    outputs = {"Outputs": [s3_output("out", "s3://no-such-bucket-anywhere/x", "/opt/ml/processing/output")]}
    nowhere = process(**given, ProcessingOutputConfig=outputs)
    assert "NoSuchBucket (404)" in nowhere["FailureReason"]


def test_jobs_are_listed_described_and_deleted(
    client: Callable[..., Any], baseline: Callable[..., dict[str, Any]], role: str
) -> None:
    sagemaker = client("sagemaker")
    done = baseline(Tags=[{"Key": "team", "Value": "red"}])
    name = done["ProcessingJobName"]
    assert sagemaker.list_tags(ResourceArn=done["ProcessingJobArn"])["Tags"] == [{"Key": "team", "Value": "red"}]
    assert done["ProcessingInputs"][0]["S3Input"]["S3DataDistributionType"] == "FullyReplicated"
    assert done["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}
    assert done["ProcessingEndTime"] >= done["ProcessingStartTime"]
    (listed,) = sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Completed")["ProcessingJobSummaries"]
    assert listed["ExitMessage"] == done["ExitMessage"]
    with pytest.raises(ClientError, match="The request was rejected because the processing job is in status Completed"):
        sagemaker.stop_processing_job(ProcessingJobName=name)
    with pytest.raises(ClientError, match="Job name must be unique") as taken:
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=role,
            AppSpecification={"ImageUri": ANALYZER},
            ProcessingResources=CLUSTER,
        )
    assert taken.value.response["Error"]["Code"] == "ResourceInUse"
    sagemaker.delete_processing_job(ProcessingJobName=name)
    with pytest.raises(ClientError, match="Requested resource not found") as gone:
        sagemaker.describe_processing_job(ProcessingJobName=name)
    assert gone.value.response["Error"]["Code"] == "ResourceNotFound"


XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/xgboost:1"
DATASET = {
    "AthenaDatasetDefinition": {
        "Catalog": "c", "Database": "d", "QueryString": "q", "OutputS3Uri": "s3://b/o", "OutputFormat": "PARQUET",
    },
    "LocalPath": INPUT,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
        ({"AppSpecification": {"ImageUri": XGBOOST}}, "is an algorithm's and processes nothing"),
        ({"AppSpecification": {"ImageUri": SCIKIT_LEARN}}, "runs a script, and none is given"),
        ({"ProcessingInputs": [{"InputName": "a", "DatasetDefinition": DATASET}]}, "asks neither Athena nor Redshift"),
        ({"ProcessingInputs": [{"InputName": "a"}]}, "The input 'a' has no S3Input"),
        ({"ProcessingInputs": [s3_input("a", "s3://b/k", "/etc")]}, "which is not below /opt/ml/processing"),
        (
            {"ProcessingInputs": [s3_input("a", "s3://b/k", "/opt/ml/processing/../x")]},
            "which is not below /opt/ml/proc",
        ),
        ({"ProcessingInputs": [s3_input("a", "https://b/k", INPUT)]}, "'https://b/k' is no S3 URI"),
        ({"ProcessingInputs": [s3_input("a", "s3://b/k", INPUT)] * 2}, "has the name 'a' twice"),
        (
            {
                "ProcessingOutputConfig": {
                    "Outputs": [{"OutputName": "o", "FeatureStoreOutput": {"FeatureGroupName": "g"}}]
                }
            },
            "The output 'o' goes to the feature store, which is not built here",
        ),
        ({"ProcessingResources": {"ClusterConfig": {"VolumeSizeInGB": 1}}}, "must have one of InstanceType and"),
    ],
)
def test_what_can_not_be_processed_is_refused(
    process: Callable[..., dict[str, Any]], changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ClientError, match=sentence) as refused:
        process(**{"AppSpecification": {"ImageUri": ANALYZER}, **changes})
    assert refused.value.response["Error"]["Code"] == "ValidationException"


SCRIPT = """
import json, os, sys
import numpy
from sklearn.preprocessing import StandardScaler

ages = numpy.loadtxt("/opt/ml/processing/input/data/table.csv", delimiter=",", skiprows=1, usecols=1, ndmin=2)
scaled = StandardScaler().fit_transform(ages.reshape(-1, 1))
named = json.load(open("/opt/ml/config/processingjobconfig.json"))
told = {"rows": len(scaled), "arguments": sys.argv[1:], "colour": os.environ["COLOUR"], "name": named["ProcessingJobName"]}
json.dump(told, open("/opt/ml/processing/output/told.json", "w"))
open("/opt/ml/output/message", "w").write("all scaled")
open("/opt/ml/processing/early/seen.txt", "w").write("seen")
print("scaled", flush=True)
sys.exit(int(os.environ["CODE"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(isolation(trust=True) is not Isolation.BUBBLEWRAP, reason="scripts need bubblewrap for /opt/ml")
@pytest.mark.parametrize("code", ["0", "3"])
def test_a_script_processes_files(
    client: Callable[..., Any],
    process: Callable[..., dict[str, Any]],
    upload: Callable[..., str],
    bucket: str,
    read: Callable[[str], Any],
    sklearn_image: str,
    code: str,
) -> None:
    done = process(
        AppSpecification={
            "ImageUri": sklearn_image,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/scale.py"],
            "ContainerArguments": ["--with", "mean"],
        },
        Environment={"COLOUR": "blue", "CODE": code},
        ProcessingInputs=[
            s3_input("code", upload("code/scale.py", SCRIPT.encode()), "/opt/ml/processing/input/code"),
            s3_input("data", upload("data/table.csv", TABLE), "/opt/ml/processing/input/data"),
        ],
        ProcessingOutputConfig={
            "Outputs": [
                s3_output("out", f"s3://{bucket}/out", "/opt/ml/processing/output"),
                s3_output("early", f"s3://{bucket}/early/", "/opt/ml/processing/early", "Continuous"),
            ]
        },
    )
    assert done["ExitMessage"] == "all scaled"
    found = {each["Key"] for each in client("s3").list_objects_v2(Bucket=bucket).get("Contents", ())}
    assert "early/seen.txt" in found
    if code == "0":
        assert done["ProcessingJobStatus"] == "Completed", done
        name = done["ProcessingJobName"]
        expected = {"rows": 300, "arguments": ["--with", "mean"], "colour": "blue", "name": name}
        assert read("out/told.json") == expected
    else:
        assert done["FailureReason"] == "AlgorithmError: See job logs for more information, exit code: 3"
        assert "out/told.json" not in found
    streams = client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=f"{done['ProcessingJobName']}/algo-1-"
    )
    assert len(streams["logStreams"]) == 1


@pytest.mark.slow
@pytest.mark.skipif(isolation(trust=True) is not Isolation.BUBBLEWRAP, reason="scripts need bubblewrap for /opt/ml")
def test_a_script_is_stopped_when_asked_and_when_its_time_is_over(
    client: Callable[..., Any],
    role: str,
    bucket: str,
    upload: Callable[..., str],
    unique: Callable[[str], str],
    wait: Callable[..., dict[str, Any]],
    sklearn_image: str,
) -> None:
    sagemaker = client("sagemaker")
    code = upload("code/sleep.py", b"import time\nprint('begun', flush=True)\ntime.sleep(600)\n")

    def run(seconds: int) -> str:
        name = unique("sleep")
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=role,
            AppSpecification={
                "ImageUri": sklearn_image,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/sleep.py"],
            },
            ProcessingInputs=[s3_input("code", code, "/opt/ml/processing/input/code")],
            ProcessingResources=CLUSTER,
            StoppingCondition={"MaxRuntimeInSeconds": seconds},
        )
        return name

    def ended(name: str) -> dict[str, Any]:
        return wait(
            lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda answer: answer["ProcessingJobStatus"] in ENDED,
            240,
        )

    late, stopped = run(1), run(600)
    wait(
        lambda: sagemaker.describe_processing_job(ProcessingJobName=stopped),
        lambda answer: "ProcessingStartTime" in answer,
        240,
    )
    with pytest.raises(ClientError, match="is InProgress and can't be deleted now"):
        sagemaker.delete_processing_job(ProcessingJobName=stopped)
    sagemaker.stop_processing_job(ProcessingJobName=stopped)
    assert ended(stopped)["ProcessingJobStatus"] == "Stopped"
    done = ended(late)
    assert (done["ProcessingJobStatus"], done["FailureReason"]) == (
        "Stopped",
        "Job runtime exceeded MaxRuntimeInSeconds provided",
    )
