"""AutoML jobs through boto3: from a table in S3 to a model behind an endpoint."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

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

    def make(uri: str, target: str = "churn", **options: Any) -> str:
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


@pytest.mark.slow
def test_a_table_becomes_candidates_and_a_model_behind_an_endpoint(
    client: Made, create: Made, ended: Made, upload: Made, bucket: str, role: str, make_role: Made, unique: Made
) -> None:
    """The job tells its steps, lists its candidates, leaves its report, and its best candidate is deployed as asked."""
    sagemaker, endpoint = client("sagemaker"), unique("deployed")
    everything = {"Effect": "Allow", "Action": ["s3:*", "sagemaker:*", "iam:PassRole"], "Resource": "*"}
    able = make_role({"Version": "2012-10-17", "Statement": everything})
    name = create(
        upload("data/churn.csv", churn()),
        CompletionCriteria={"MaxCandidates": 2},
        members={"RoleArn": able, "ModelDeployConfig": {"EndpointName": endpoint}},
    )
    answer = ended(name)
    assert answer["AutoMLJobStatus"] == answer["AutoMLJobSecondaryStatus"] == "Completed", answer
    assert answer["ModelDeployResult"] == {"EndpointName": endpoint}
    assert answer["ResolvedAttributes"]["AutoMLJobObjective"] == {"MetricName": "F1"}
    candidates = sagemaker.list_candidates_for_auto_ml_job(
        AutoMLJobName=name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending"
    )["Candidates"]
    best = answer["BestCandidate"]
    assert len(candidates) >= 2
    assert best["CandidateName"] in [each["CandidateName"] for each in candidates]
    values = [each["FinalAutoMLJobObjectiveMetric"]["Value"] for each in candidates]
    assert values == sorted(values, reverse=True)
    assert best["FinalAutoMLJobObjectiveMetric"]["Value"] == values[0]
    metrics = {(each["StandardMetricName"], each["Set"]) for each in best["CandidateProperties"]["CandidateMetrics"]}
    assert {("F1", "Validation"), ("AUC", "Test"), ("Accuracy", "Train")} <= metrics
    keys = [each["Key"] for each in client("s3").list_objects_v2(Bucket=bucket, Prefix=f"output/{name}/")["Contents"]]
    insights = best["CandidateProperties"]["CandidateArtifactLocations"]["ModelInsights"]
    assert f"{insights}/report.html".removeprefix(f"s3://{bucket}/") in keys
    assert best["InferenceContainers"][0]["ModelDataUrl"].removeprefix(f"s3://{bucket}/") in keys
    runtime = client("sagemaker-runtime")
    rows = b"C1,3,basic,50.5\nC2,59,pro,10.0\n"
    said = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=rows)["Body"].read()
    assert said.decode().split() == ["yes", "no"]
    own = unique("model")
    sagemaker.create_model(ModelName=own, Containers=best["InferenceContainers"], ExecutionRoleArn=role)
    assert sagemaker.describe_model(ModelName=own)["Containers"][0]["Image"] == best["InferenceContainers"][0]["Image"]


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (churn(30), {"target": "nope"}, "the table has no column 'nope' to predict"),
        (b"", {}, "Every object of the training channel is empty"),
        (b"a,churn\n", {}, "'{uri}' has a header but no rows"),
        (b"a,churn\n" + b"1,yes\n2,yes\n" * 20, {}, "has the single value 'yes' in all 40 rows"),
        (
            b"a,churn\n" + b"1,x\n2,y\n3,z\n" * 20,
            {"ProblemType": "BinaryClassification", "members": {"AutoMLJobObjective": {"MetricName": "F1"}}},
            "give the ProblemType MulticlassClassification",
        ),
        (churn(30), {"channel": {"CompressionType": "Gzip"}}, "{uri} is no gzip file"),
    ],
    ids=["target", "empty", "header", "class", "classes", "gzip"],
)
def test_tables_that_cannot_be_learnt(
    create: Made, ended: Made, upload: Made, content: bytes, options: dict[str, Any], sentence: str
) -> None:
    """The reason is one sentence in the words of the request."""
    uri = upload("data/table.csv", content)
    answer = ended(create(uri, **options))
    assert answer["AutoMLJobStatus"] == answer["AutoMLJobSecondaryStatus"] == "Failed"
    assert sentence.format(uri=uri) in answer["FailureReason"]
    assert "BestCandidate" not in answer


@pytest.mark.parametrize("denied", ["s3:GetObject", "s3:PutObject"])
def test_a_role_that_may_not(
    create: Made, ended: Made, upload: Made, make_role: Made, bucket: str, denied: str
) -> None:
    """Neither reading nor writing is found out only after the search."""
    statements = [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": denied,
            "Resource": [f"arn:aws:s3:::{bucket}/{path}/*" for path in ("data", "output")],
        },
    ]
    role = make_role({"Version": "2012-10-17", "Statement": statements})
    answer = ended(create(upload("data/churn.csv", churn()), members={"RoleArn": role}))
    assert answer["AutoMLJobStatus"] == "Failed"
    assert "failed: AccessDenied (403)" in answer["FailureReason"]
    assert denied in answer["FailureReason"]
    assert "ResolvedAttributes" not in answer


def test_a_prefix_without_objects(create: Made, ended: Made, bucket: str) -> None:
    """It is AWS's sentence."""
    reason = ended(create(f"s3://{bucket}/nothing"))["FailureReason"]
    assert reason.startswith(f'No S3 objects found under S3 URL "s3://{bucket}/nothing" given in input data source.')


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"ProblemType": "Regression"}, "go together"),
        ({"members": {"AutoMLJobObjective": {"MetricName": "F1"}}}, "go together"),
        (
            {"ProblemType": "Regression", "members": {"AutoMLJobObjective": {"MetricName": "F1"}}},
            "F1 is not available for the problem type Regression",
        ),
        ({"channel": {"ContentType": "image/png"}}, "'image/png' is not supported"),
        ({"channel": {"ChannelType": "validation"}}, "takes one training channel"),
        ({"members": {"DataSplitConfig": {"ValidationFraction": 1.0}}}, "not greater than 0 and less than 1"),
        ({"members": {"ModelDeployConfig": {"AutoGenerateEndpointName": False}}}, "AutoGenerateEndpointName"),
        ({"members": {"OutputDataConfig": {"S3OutputPath": "https://bucket/x"}}}, "no S3 URI"),
        ({"members": {"RoleArn": "arn:aws:iam::123456789012:role/nobody"}}, "Could not assume role"),
        ({"SampleWeightAttributeName": "spend"}, "every row weighs the same"),
        ({"name": "under_score"}, "regular expression"),
        ({"name": "a" * 33}, "length less than or equal to 32"),
    ],
)
def test_what_no_job_can_do_is_refused(create: Made, options: dict[str, Any], sentence: str) -> None:
    """Each with a sentence, as ValidationException."""
    with pytest.raises(ClientError, match=sentence) as error:
        create("s3://bucket/table.csv", **options)
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_the_first_version_generates_definitions(
    client: Made, create: Made, ended: Made, upload: Made, bucket: str, role: str, unique: Made
) -> None:
    """CreateAutoMLJob takes the same on in its own terms; names are taken once, and what has ended does not stop."""
    sagemaker, name = client("sagemaker"), unique("First")[:30]
    uri = upload("data/churn.csv", churn(60))
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    request = {
        "AutoMLJobName": name,
        "InputDataConfig": [{"DataSource": source, "TargetAttributeName": "churn"}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/output"},
        "RoleArn": role,
        "GenerateCandidateDefinitionsOnly": True,
    }
    arn = sagemaker.create_auto_ml_job(**request)["AutoMLJobArn"]
    assert arn.endswith(f":automl-job/{name.lower()}")
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="already exists"):
        create(uri, name=name.upper())
    answer = ended(name)
    assert (answer["AutoMLJobStatus"], answer["AutoMLJobSecondaryStatus"]) == (
        "Completed", "CandidateDefinitionsGenerated",
    )  # fmt: skip
    first = sagemaker.describe_auto_ml_job(AutoMLJobName=name)
    assert first["InputDataConfig"] == request["InputDataConfig"]
    assert first["GenerateCandidateDefinitionsOnly"] is True
    assert first["ResolvedAttributes"]["ProblemType"] == "BinaryClassification"
    key = first["AutoMLJobArtifacts"]["CandidateDefinitionNotebookLocation"].removeprefix(f"s3://{bucket}/")
    document = json.loads(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert document["objective"] == "F1"
    assert document["algorithms"]
    listed = sagemaker.list_auto_ml_jobs(NameContains=name)["AutoMLJobSummaries"]
    assert [(each["AutoMLJobArn"], each["AutoMLJobStatus"]) for each in listed] == [(arn, "Completed")]
    with pytest.raises(ClientError, match="in status Completed") as error:
        sagemaker.stop_auto_ml_job(AutoMLJobName=name)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert sagemaker.list_candidates_for_auto_ml_job(AutoMLJobName=name)["Candidates"] == []


def test_a_job_that_is_stopped(client: Made, create: Made, ended: Made, upload: Made, wait: Made) -> None:
    """It is Stopping, then Stopped, with what it has."""
    sagemaker = client("sagemaker")
    name = create(upload("data/churn.csv", churn()), CompletionCriteria={"MaxCandidates": 50})
    wait(
        lambda: sagemaker.describe_auto_ml_job_v2(AutoMLJobName=name),
        lambda answer: answer["AutoMLJobSecondaryStatus"] != "Starting",
    )
    for _ in range(2):
        sagemaker.stop_auto_ml_job(AutoMLJobName=name)
    assert sagemaker.describe_auto_ml_job_v2(AutoMLJobName=name)["AutoMLJobStatus"] in ("Stopping", "Stopped")
    answer = ended(name)
    assert answer["AutoMLJobStatus"] == answer["AutoMLJobSecondaryStatus"] == "Stopped"
    assert "FailureReason" not in answer


def test_jobs_that_are_none(client: Made) -> None:
    """Each operation answers ResourceNotFound."""
    sagemaker = client("sagemaker")
    for call in (
        sagemaker.describe_auto_ml_job_v2,
        sagemaker.describe_auto_ml_job,
        sagemaker.stop_auto_ml_job,
        sagemaker.list_candidates_for_auto_ml_job,
    ):
        with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="no-such-job"):
            call(AutoMLJobName="no-such-job")
