"""Hyperparameter tuning jobs, from their ranges to the best training job."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.server.sandbox import Isolation, isolation

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
OVER = ("Completed", "Failed", "Stopped")
Made = Callable[..., dict[str, Any]]
RANGES = {
    "ContinuousParameterRanges": [
        {"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"},
        {"Name": "alpha", "MinValue": "0.01", "MaxValue": "2", "ScalingType": "Logarithmic"},
    ],
    "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "6", "ScalingType": "Linear"}],
}


@pytest.fixture
def asked(role: str, bucket: str, unique: Callable[[str], str], channel: Any) -> Made:
    """Return what makes the parameters of CreateHyperParameterTuningJob; `config`, `static` and `definition` change."""

    def make(
        config: dict[str, Any] | None = None,
        static: dict[str, str] | None = None,
        definition: dict[str, Any] | None = None,
        *,
        jobs: int | None = 4,
        parallel: int = 2,
        **more: Any,
    ) -> dict[str, Any]:
        channels = [channel(name, f"s3://{bucket}/{name}", "text/libsvm") for name in ("train", "validation")]
        limits = {"MaxParallelTrainingJobs": parallel} | ({} if jobs is None else {"MaxNumberOfTrainingJobs": jobs})
        return {
            "HyperParameterTuningJobName": unique("Tuning"),
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
                "ResourceLimits": limits,
                "ParameterRanges": RANGES,
                "RandomSeed": 7,
            }
            | (config or {}),
            "TrainingJobDefinition": {
                "StaticHyperParameters": {"objective": "reg:linear", "num_round": "10"} if static is None else static,
                "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
                "RoleArn": role,
                "InputDataConfig": channels,
                "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/tuned"},
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
                "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            }
            | (definition or {}),
        } | more

    return make


@pytest.fixture
def data(upload: Callable[[str, bytes], str], abalone: Any) -> None:
    """Put rows where the channels of `asked` look for them."""
    for name, rows in (("train", 200), ("validation", 100)):
        upload(f"{name}/part", abalone(rows, rows).libsvm)


@pytest.fixture
def tuned(client: Callable[..., Any], wait: Callable[..., Any]) -> Callable[..., Any]:
    """Return what creates a tuning job and describes it once it has ended, or `done` says so."""

    def ended(request: dict[str, Any], done: Callable[[dict[str, Any]], bool] = lambda _: False) -> Any:
        sagemaker, name = client("sagemaker"), request["HyperParameterTuningJobName"]
        sagemaker.create_hyper_parameter_tuning_job(**request)
        return wait(
            lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
            lambda job: job["HyperParameterTuningJobStatus"] in OVER or done(job),
            180,
        )

    return ended


@pytest.fixture
def trials(client: Callable[..., Any]) -> Callable[..., list[dict[str, Any]]]:
    """Return what lists the training jobs of a tuning job."""

    def listed(name: str, **more: Any) -> list[dict[str, Any]]:
        operation = client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job
        return operation(HyperParameterTuningJobName=name, **more)["TrainingJobSummaries"]  # type: ignore[no-any-return]

    return listed


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    """Return code and message of a refused call."""
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.mark.slow
@pytest.mark.usefixtures("data")
def test_the_best_of_four_trials_is_told(
    client: Callable[..., Any], asked: Made, tuned: Made, trials: Any, bucket: str
) -> None:
    """The trials are training jobs with values of the ranges; counters, order and best follow from what they reached."""
    sagemaker = client("sagemaker")
    request = asked(Tags=[{"Key": "team", "Value": "molluscs"}])
    name = request["HyperParameterTuningJobName"]
    most = 0

    def watch(job: dict[str, Any]) -> bool:
        nonlocal most
        most = max(most, job["TrainingJobStatusCounters"]["InProgress"])
        return False

    job = tuned(request, watch)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert 1 <= most <= 2
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 4, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0,
    }  # fmt: skip
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    assert job["CreationTime"] < job["HyperParameterTuningEndTime"]
    assert job["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Off"
    assert job["TrainingJobDefinition"]["StaticHyperParameters"] == {
        "objective": "reg:linear", "num_round": "10", "_tuning_objective_metric": "validation:rmse",
    }  # fmt: skip
    metrics = job["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]
    assert len(metrics) == 40
    assert "validation:rmse" in {each["Name"] for each in metrics}
    assert job["ConsumedResources"]["RuntimeInSeconds"] >= 0
    found = trials(name, SortBy="FinalObjectiveMetricValue")
    values = [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in found]
    assert values == sorted(values)
    assert job["BestTrainingJob"] == found[0]
    assert sorted(each["TrainingJobName"][:-8] for each in found) == [f"{name}-00{n}-" for n in range(1, 5)]
    assert trials(name, SortBy="CreationTime", SortOrder="Descending")[0]["TrainingJobName"].startswith(f"{name}-004-")
    assert trials(name, StatusEquals="Failed") == []
    for each in found:
        given = each["TunedHyperParameters"]
        assert 0.1 <= float(given["eta"]) <= 0.5
        assert 0.01 <= float(given["alpha"]) <= 2
        assert given["max_depth"] in "123456"
    best = sagemaker.describe_training_job(TrainingJobName=found[0]["TrainingJobName"])
    assert best["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert best["HyperParameters"] == {
        **job["TrainingJobDefinition"]["StaticHyperParameters"], **found[0]["TunedHyperParameters"],
    }  # fmt: skip
    metrics = {each["MetricName"]: each["Value"] for each in best["FinalMetricDataList"]}
    assert metrics["validation:rmse"] == pytest.approx(values[0])
    key = best["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
    assert client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    assert sagemaker.list_tags(ResourceArn=best["TrainingJobArn"])["Tags"] == request["Tags"]
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name.lower(), SortOrder="Descending", PaginationConfig={"PageSize": 3}
    )
    listed = [each["TrainingJobName"] for page in pages for each in page["TrainingJobSummaries"]]
    assert listed == sorted((each["TrainingJobName"] for each in found), reverse=True)


def integer(low: object, high: object, name: str = "max_depth", **more: str) -> dict[str, Any]:
    """Return ParameterRanges of one integer range."""
    given = {"Name": name, "MinValue": str(low), "MaxValue": str(high), **more}
    return {"ParameterRanges": {"IntegerParameterRanges": [given]}}


def real(low: object, high: object, name: str = "eta", **more: str) -> dict[str, Any]:
    """Return ParameterRanges of one continuous range."""
    given = {"Name": name, "MinValue": str(low), "MaxValue": str(high), **more}
    return {"ParameterRanges": {"ContinuousParameterRanges": [given]}}


def choices(**values: list[str]) -> dict[str, Any]:
    """Return ParameterRanges of categorical ranges."""
    given = [{"Name": name, "Values": each} for name, each in values.items()]
    return {"ParameterRanges": {"CategoricalParameterRanges": given}}


def objective(metric: str) -> dict[str, Any]:
    """Return the objective to minimize a metric."""
    return {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": metric}}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (integer(6, 2), "MinValue 6 of the hyperparameter max_depth is greater than its MaxValue 2"),
        (real("0.5", "0.1"), "greater than its MaxValue"),
        (integer("1.5", 2), "is not a whole number"),
        (integer(1, 2**60), "at most"),
        (real("nan", "1"), "is not a number"),
        (real("0", "inf"), "is not a number"),
        (real("0", "1", ScalingType="Logarithmic"), "only values greater than 0"),
        (real("0", "1", ScalingType="ReverseLogarithmic"), "0 <= x < 1"),
        (integer(1, 2, ScalingType="ReverseLogarithmic"), "take Linear"),
        (choices(booster=["gbtree", "gbtree"]), "twice"),
        (choices(booster=["gbtree", "sapling"]), "'sapling' must be one of"),
        (integer(1, 2, "depths"), "Extraneous hyperparameter found: depths"),
        (real("0.5", "2"), "eta: '2.0' must be"),
        (real("1", "3", "max_depth"), "must be a whole number"),
        (
            {
                "ParameterRanges": {
                    "ContinuousParameterRanges": [
                        {"Name": name, "MinValue": "0.1", "MaxValue": "0.2"} for name in ("eta", "learning_rate")
                    ]
                }
            },
            "eta and learning_rate are the same one",
        ),
        (integer(1, 2, "num_round"), "StaticHyperParameters and in ParameterRanges"),
        ({"ParameterRanges": {}}, "no range"),
        ({"ParameterRanges": RANGES | integer(1, 9, "eta")["ParameterRanges"]}, "two ranges"),
        (objective("validation:rmsee"), "isn't valid for the .* algorithm. Choose a valid objective metric: "),
        ({"HyperParameterTuningJobObjective": None}, "HyperParameterTuningJobObjective is missing"),
        ({"Strategy": "Hyperband"}, "Hyperband"),
        ({"Strategy": "Grid"}, "categorical ranges only"),
        ({"Strategy": "Grid", **choices(booster=["gbtree", "dart"])}, "The grid has 2 combinations"),
        ({"ResourceLimits": {"MaxParallelTrainingJobs": 1}}, "sets no end"),
        ({"ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": 751}}, "is 750"),
        ({"ResourceLimits": {"MaxParallelTrainingJobs": 101, "MaxNumberOfTrainingJobs": 200}}, "is 100"),
        ({"ParameterRanges": {"AutoParameters": [{"Name": "eta", "ValueHint": "1"}]}}, "AutoParameters"),
        (
            {"TuningJobCompletionCriteria": {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}},
            "Convergence is not detected",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused(
    config: dict[str, Any], says: str, client: Callable[..., Any], asked: Made
) -> None:
    request = asked(config)
    given = request["HyperParameterTuningJobConfig"]
    request["HyperParameterTuningJobConfig"] = {name: value for name, value in given.items() if value is not None}
    sagemaker = client("sagemaker")
    code, message = refusal(lambda: sagemaker.create_hyper_parameter_tuning_job(**request))
    assert re.search(says, message), message
    assert code == ("ResourceLimitExceeded" if "service limit" in message else "ValidationException")
    name = request["HyperParameterTuningJobName"]
    code, _ = refusal(lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name))
    assert code == "ResourceNotFound"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"definition": {"RoleArn": "arn:aws:iam::123456789012:role/nobody"}}, "Could not assume role|PassRole"),
        ({"definition": {"TuningObjective": objective("a")["HyperParameterTuningJobObjective"]}}, "TuningObjective"),
        ({"definition": {"HyperParameterTuningResourceConfig": {"InstanceCount": 1}}}, "must have one of"),
        (
            {"definition": {"AlgorithmSpecification": {"TrainingImage": "my/image:1", "TrainingInputMode": "File"}}},
            "Provide a metric in the metric definitions",
        ),
        (
            {
                "definition": {
                    "AlgorithmSpecification": {
                        "TrainingImage": XGBOOST,
                        "TrainingInputMode": "File",
                        "MetricDefinitions": [{"Name": "validation:rmse", "Regex": "mine=(.*)"}],
                    }
                }
            },
            "You can't override the metric definitions",
        ),
        ({"static": {"objective": "reg:linear"}}, "'num_round' which are required"),
        ({"static": {"num_round": "ten"}}, "num_round: 'ten' must be"),
        ({"TrainingJobDefinition": None}, "TrainingJobDefinition is missing"),
        (
            {
                "WarmStartConfig": {
                    "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "a"}],
                    "WarmStartType": "TransferLearning",
                }
            },
            "WarmStartConfig",
        ),
        ({"Autotune": {"Mode": "Enabled"}}, "Autotune"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "twice"),
        ({"HyperParameterTuningJobName": "much-" * 6 + "too-long"}, "length less than or equal to 32"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    changes: dict[str, Any], says: str, client: Callable[..., Any], asked: Made
) -> None:
    request = {name: value for name, value in asked(**changes).items() if value is not None}
    code, message = refusal(lambda: client("sagemaker").create_hyper_parameter_tuning_job(**request))
    assert re.search(says, message), message
    assert code == "ValidationException"


def test_the_role_of_the_trials_must_be_passable(
    client: Callable[..., Any], unique: Callable[[str], str], asked: Made
) -> None:
    iam, name = client("iam"), unique("tuner")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    code, message = refusal(lambda: client("sagemaker", **keys).create_hyper_parameter_tuning_job(**asked()))
    assert code == "AccessDeniedException"
    assert "iam:PassRole" in message


@pytest.mark.usefixtures("data")
def test_a_grid_goes_on_until_its_target_is_reached(asked: Made, tuned: Made, trials: Any) -> None:
    """Its first combination is good enough here, so that the others are never tried."""
    grid = {"Strategy": "Grid", **choices(booster=["gbtree", "gblinear"], max_depth=["2", "3"])}
    request = asked(grid | {"TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 1e6}}, jobs=None, parallel=1)
    job = tuned(request)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert job["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 4
    found = trials(request["HyperParameterTuningJobName"])
    assert [each["TunedHyperParameters"] for each in found] == [{"booster": "gbtree", "max_depth": "2"}]
    assert job["BestTrainingJob"] == found[0]


def test_trials_that_all_fail_make_the_job_fail(asked: Made, tuned: Made, trials: Any) -> None:
    """There is no data; the reason says so, and which training job it is of."""
    request = asked({"Strategy": "Random"}, jobs=2)
    job = tuned(request)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("All training jobs failed. ")
    first = next(each for each in trials(request["HyperParameterTuningJobName"]))
    assert "ClientError" in first["FailureReason"]
    assert first["TrainingJobName"] in job["FailureReason"]
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 0, "Failed": 2}
    assert "BestTrainingJob" not in job


@pytest.mark.usefixtures("data")
def test_a_metric_that_is_never_told_makes_the_job_fail(asked: Made, tuned: Made, channel: Any, bucket: str) -> None:
    """Without a validation channel nothing is measured on it."""
    job = tuned(
        asked(jobs=1, definition={"InputDataConfig": [channel("train", f"s3://{bucket}/train", "text/libsvm")]})
    )
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("No objective metrics found after running 1 training jobs. ")
    assert job["TrainingJobStatusCounters"]["Completed"] == 1


@pytest.mark.usefixtures("data")
def test_a_stop_stops_what_runs_and_starts_nothing(
    client: Callable[..., Any], asked: Made, tuned: Made, trials: Any, wait: Any
) -> None:
    """The training jobs stop too; what has ended is neither stopped nor, while it runs, deleted or made again."""
    sagemaker, request = client("sagemaker"), asked(static={"num_round": "200000"})
    name = request["HyperParameterTuningJobName"]
    running = tuned(request, lambda job: job["TrainingJobStatusCounters"]["InProgress"] == 2)
    assert running["HyperParameterTuningJobStatus"] == "InProgress"
    code, message = refusal(lambda: sagemaker.create_hyper_parameter_tuning_job(**request))
    assert (code, f"with the name, {name}, already exists" in message) == ("ResourceInUse", True)
    named = {"HyperParameterTuningJobName": name}
    code, message = refusal(lambda: sagemaker.delete_hyper_parameter_tuning_job(**named))
    assert (code, "not in a terminal state" in message) == ("ValidationException", True)
    summary = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name, StatusEquals="InProgress")
    assert [each["HyperParameterTuningJobName"] for each in summary["HyperParameterTuningJobSummaries"]] == [name]
    sagemaker.stop_hyper_parameter_tuning_job(**named)
    job = wait(
        lambda: sagemaker.describe_hyper_parameter_tuning_job(**named),
        lambda job: job["HyperParameterTuningJobStatus"] in OVER,
    )
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == len(trials(name)) == 2
    code, message = refusal(lambda: sagemaker.stop_hyper_parameter_tuning_job(**named))
    assert (code, "already in status Stopped" in message) == ("ValidationException", True)
    sagemaker.delete_hyper_parameter_tuning_job(**named)
    assert refusal(lambda: sagemaker.stop_hyper_parameter_tuning_job(**named))[0] == "ResourceNotFound"


@pytest.mark.slow
@pytest.mark.skipif(isolation(trust=True) is not Isolation.BUBBLEWRAP, reason="scripts need bubblewrap for /opt/ml")
def test_the_trials_of_a_script_are_measured_by_its_own_metric(
    asked: Made, tuned: Made, job: Made, trials: Any
) -> None:
    """The script gets each combination; where its log has no match, the trial counts for nothing."""
    script = """
import sys
assert sys.argv[1:3] == ["--kind", sys.argv[2]] and len(sys.argv) == 5, sys.argv
print("score=0.25;" if sys.argv[2] == "good" else "score: 0.75", "size", sys.argv[4])
"""
    given = job({"train.py": script}, {"size": "3"})
    algorithm = given["AlgorithmSpecification"] | {"MetricDefinitions": [{"Name": "score", "Regex": "score=(.*?);"}]}
    grid = {"Strategy": "Grid", **choices(kind=['"bad"', '"good"'])}
    aim = {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"}}
    definition = {"AlgorithmSpecification": algorithm, "InputDataConfig": given["InputDataConfig"]}
    request = asked(grid | aim, given["HyperParameters"], definition, jobs=2)
    ended = tuned(request)
    assert ended["HyperParameterTuningJobStatus"] == "Completed", ended
    assert ended["BestTrainingJob"]["TunedHyperParameters"] == {"kind": '"good"'}
    assert ended["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Maximize", "MetricName": "score", "Value": 0.25,
    }  # fmt: skip
    bad, _ = trials(request["HyperParameterTuningJobName"])
    assert (bad["TrainingJobStatus"], bad["ObjectiveStatus"]) == ("Completed", "Failed")
    assert ended["ObjectiveStatusCounters"] == {"Succeeded": 1, "Pending": 0, "Failed": 1}
