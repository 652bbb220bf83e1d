"""Search over jobs, models, endpoints, packages and experiments, through boto3."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from headrace.server.operations.lineage.search.records import SEARCHED

Make = Callable[..., Any]
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


@pytest.fixture
def search(sagemaker: Any) -> Make:
    """Return what searches by filters and returns the records of the page."""

    def ask(resource: str, *filters: dict[str, str], **options: Any) -> list[dict[str, Any]]:
        expression = options.pop("SearchExpression", {"Filters": list(filters)})
        answer = sagemaker.search(Resource=resource, SearchExpression=expression, **options)
        return [next(iter(each.values())) for each in answer["Results"]]

    return ask


def where(name: str, operator: str = "", value: str = "") -> dict[str, str]:
    return {"Name": name} | ({"Operator": operator} if operator else {}) | ({"Value": value} if value else {})


@pytest.fixture
def experiment(sagemaker: Any, unique: Make) -> Iterator[dict[str, Any]]:
    """Make an experiment with one trial of four components, whose parameters and tags differ."""
    name = unique("sought")
    sagemaker.create_experiment(ExperimentName=name, Description="d", Tags=[{"Key": "team", "Value": "red"}])
    sagemaker.create_trial(TrialName=f"{name}-trial", ExperimentName=name)
    for number in range(4):
        component = f"{name}-{number}"
        sagemaker.create_trial_component(
            TrialComponentName=component,
            DisplayName=f"run-{number}" if number < 3 else "other",
            Status={"PrimaryStatus": "Completed" if number % 2 else "Failed"},
            StartTime=f"2026-01-0{number + 1}T12:00:00Z",
            Parameters={
                "rate": {"NumberValue": number / 10}, "depth": {"StringValue": str(number)},
                "a.b": {"StringValue": "dotted"},
            },
            InputArtifacts={"data": {"MediaType": "text/csv", "Value": f"s3://bucket/{number}/data.csv"}},
            Tags=[{"Key": "number", "Value": str(number)}] if number else [],
        )  # fmt: skip
        sagemaker.associate_trial_component(TrialComponentName=component, TrialName=f"{name}-trial")
    yield {"name": name, "trial": f"{name}-trial"}
    for number in range(4):
        component = f"{name}-{number}"
        sagemaker.disassociate_trial_component(TrialComponentName=component, TrialName=f"{name}-trial")
        sagemaker.delete_trial_component(TrialComponentName=component)
    sagemaker.delete_trial(TrialName=f"{name}-trial")
    sagemaker.delete_experiment(ExperimentName=name)


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return [int(each["TrialComponentName"].rpartition("-")[2]) for each in found]


def test_properties_are_those_of_the_api() -> None:
    model = boto3.client("sagemaker", "us-east-1").meta.service_model
    members = model.shape_for("SearchRecord").members
    for name, searched in SEARCHED.items():
        assert name in model.shape_for("ResourceType").enum
        shape = members["".join(word.title() for word in searched.member.split("_"))]
        assert searched.properties == {xform_name(each) for each in shape.members}
    assert SEARCHED["Model"].also == {xform_name(each) for each in model.shape_for("Model").members}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (where("Parameters.rate", "GreaterThan", "0.1"), [2, 3]),
        (where("Parameters.rate", "LessThanOrEqualTo", "0.1"), [0, 1]),
        (where("Parameters.depth", "GreaterThanOrEqualTo", "2"), [2, 3]),
        (where("parameters.depth", "", "2"), [2]),
        (where("Parameters.a.b", "Equals", "dotted"), [0, 1, 2, 3]),
        (where("Parameters.missing", "Exists"), []),
        (where("Parameters.missing", "NotExists"), [0, 1, 2, 3]),
        (where("Parameters.missing", "NotEquals", "1"), [0, 1, 2, 3]),
        (where("DisplayName", "Contains", "run"), [0, 1, 2]),
        (where("DisplayName", "In", "run-0, other"), [0, 3]),
        (where("DisplayName", "NotEquals", "other"), [0, 1, 2]),
        (where("Status.PrimaryStatus", "Equals", "Failed"), [0, 2]),
        (where("StartTime", "GreaterThan", "2026-01-02T12:00:00"), [2, 3]),
        (where("StartTime", "Equals", "2026-01-02T12:00:00"), [1]),
        (where("StartTime", "LessThan", "2026-01-02T14:30:00+02:00"), [0, 1]),
        (where("Tags.number", "Exists"), [1, 2, 3]),
        (where("Tags.number", "Equals", "3"), [3]),
        (where("InputArtifacts.data.Value", "Contains", "/2/"), [2]),
        (where("InputArtifacts", "Contains", "bucket/3"), [3]),
        (where("CreatedBy.IamIdentity.Arn", "Contains", ":root"), [0, 1, 2, 3]),
        (where("Source.SourceArn", "Exists"), []),
    ],
)  # fmt: skip
def test_components_are_found_by_their_properties(
    search: Make, experiment: dict[str, Any], asked: dict[str, str], expected: list[int]
) -> None:
    parent = where("Parents.ExperimentName", "Equals", experiment["name"])
    found = search("ExperimentTrialComponent", parent, asked, SortBy="TrialComponentName", SortOrder="Ascending")
    assert numbers(found) == expected


def test_expressions_nest(search: Make, experiment: dict[str, Any]) -> None:
    first = {"Filters": [where("Parameters.rate", "Equals", "0"), where("Tags.number", "Equals", "2")]}
    expression = {
        "Filters": [where("Parents.TrialName", "Equals", experiment["trial"])],
        "SubExpressions": [
            {**first, "Operator": "Or"},
            {"SubExpressions": [{"Filters": [where("Status.PrimaryStatus", "Equals", "Failed")]}]},
        ],
    }
    found = search("ExperimentTrialComponent", SearchExpression=expression, SortBy="parameters.rate")
    assert numbers(found) == [2, 0]
    both = {"Filters": first["Filters"], "SubExpressions": expression["SubExpressions"], "Operator": "And"}
    assert search("ExperimentTrialComponent", SearchExpression=both) == []


def test_nested_filters_hold_for_one_element(search: Make, experiment: dict[str, Any], sagemaker: Any) -> None:
    other = f"{experiment['name']}-more"
    sagemaker.create_trial(TrialName=other, ExperimentName=experiment["name"])
    component = f"{experiment['name']}-0"
    sagemaker.associate_trial_component(TrialComponentName=component, TrialName=other)

    def ask(trial: str, name: str) -> list[int]:
        filters = [where("Parents.TrialName", "Equals", trial), where("Parents.ExperimentName", "Equals", name)]
        nested = {"NestedFilters": [{"NestedPropertyName": "Parents", "Filters": filters}]}
        return numbers(search("ExperimentTrialComponent", SearchExpression=nested))

    assert ask(other, experiment["name"]) == [0]
    assert ask(other, "another") == []
    sagemaker.disassociate_trial_component(TrialComponentName=component, TrialName=other)
    sagemaker.delete_trial(TrialName=other)


def test_records_are_whole(search: Make, experiment: dict[str, Any]) -> None:
    name = experiment["name"]
    (found,) = search("ExperimentTrialComponent", where("TrialComponentName", "Equals", f"{name}-1"))
    assert found["Parents"] == [{"TrialName": experiment["trial"], "ExperimentName": name}]
    assert found["Tags"] == [{"Key": "number", "Value": "1"}]
    assert found["Parameters"]["rate"] == {"NumberValue": 0.1}
    (trial,) = search("ExperimentTrial", where("ExperimentName", "Equals", name))
    assert [each["TrialComponentName"] for each in trial["TrialComponentSummaries"]] == [
        f"{name}-{number}" for number in range(4)
    ]
    (whole,) = search("Experiment", where("Tags.team", "Equals", "red"), where("ExperimentName", "Contains", name))
    assert (whole["ExperimentName"], whole["Description"]) == (name, "d")
    assert whole["Tags"] == [{"Key": "team", "Value": "red"}]


def test_results_come_in_pages_and_order(sagemaker: Any, experiment: dict[str, Any]) -> None:
    expression = {"Filters": [where("Parents.ExperimentName", "Equals", experiment["name"])]}
    for by, order, expected in (
        ("Parameters.rate", "Descending", [3, 2, 1, 0]),
        ("Tags.number", "Descending", [3, 2, 1, 0]),
        ("Tags.number", "Ascending", [1, 2, 3, 0]),
        ("StartTime", "Ascending", [0, 1, 2, 3]),
    ):
        pages = sagemaker.get_paginator("search").paginate(
            Resource="ExperimentTrialComponent", SearchExpression=expression, SortBy=by, SortOrder=order,
            PaginationConfig={"PageSize": 1},
        )  # fmt: skip
        answers = list(pages)
        assert numbers([each["TrialComponent"] for page in answers for each in page["Results"]]) == expected
        assert {page["TotalHits"]["Value"] for page in answers} == {4}
    token = answers[0]["NextToken"]
    with pytest.raises(ClientError, match="ValidationException"):
        sagemaker.search(Resource="ExperimentTrialComponent", NextToken=token)


def test_the_newest_change_comes_first(sagemaker: Any, search: Make, experiment: dict[str, Any]) -> None:
    sagemaker.update_trial_component(TrialComponentName=f"{experiment['name']}-1", DisplayName="changed")
    found = search("ExperimentTrialComponent", where("Parents.ExperimentName", "Equals", experiment["name"]))
    assert numbers(found)[0] == 1


def test_visibility_conditions_hide_other_values(search: Make, experiment: dict[str, Any]) -> None:
    parent = where("Parents.ExperimentName", "Equals", experiment["name"])
    conditions = [{"Key": "Tags.number", "Value": "2"}]
    found = search("ExperimentTrialComponent", parent, VisibilityConditions=conditions)
    assert sorted(numbers(found)) == [0, 2]
    assert search("ExperimentTrialComponent", parent, CrossAccountFilterOption="CrossAccount") == []


def test_names_are_suggested(sagemaker: Any, experiment: dict[str, Any]) -> None:
    def suggested(hint: str) -> list[str]:
        query = {"PropertyNameQuery": {"PropertyNameHint": hint}}
        answer = sagemaker.get_search_suggestions(Resource="ExperimentTrialComponent", SuggestionQuery=query)
        return [each["PropertyName"] for each in answer["PropertyNameSuggestions"]]

    assert "Parameters.rate" in suggested("param")
    assert "Tags.number" in suggested("Tags.num")
    assert suggested("nothing begins so") == []
    assert experiment["name"]


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ({}, "at least one of"),
        ({"Filters": [where("Nonsense", "Equals", "1")]}, "Unknown property name: Nonsense"),
        ({"Filters": [where("TrainingJobName", "GreaterThan", "a")]}, "not supported for the text property"),
        ({"Filters": [where("CreationTime", "Contains", "2026")]}, "only supported for text"),
        ({"Filters": [where("CreationTime", "GreaterThan", "yesterday")]}, "must be a time"),
        ({"Filters": [where("Metrics.rmse", "LessThan", "low")]}, "integer or a decimal"),
        ({"Filters": [where("HyperParameters.eta", "LessThan", "low")]}, "integer or a decimal"),
        ({"Filters": [where("TrainingJobName", "Equals")]}, "needs a Value"),
        ({"Filters": [where("TrainingJobName")]}, "needs a Value"),
        ({"Filters": [where("TrainingJobName", "Contains", value) for value in "ab"]}, "usage limit of 1 exceeded"),
        ({"Filters": [where("TrainingJobName", "Equals", "a")] * 21}, "less than or equal to 20"),
        (
            {"SubExpressions": [{"Filters": [where("TrainingJobName", "Equals", "a")] * 18}] * 3},
            "more than 50 filters",
        ),
        (
            {"NestedFilters": [{"NestedPropertyName": "Wrong", "Filters": [where("Wrong.a", "Exists")]}]},
            "Unknown property name: Wrong",
        ),
        (
            {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": [where("RoleArn", "Exists")]}]},
            "must begin with InputDataConfig",
        ),
    ],
)
def test_what_can_not_be_asked_is_refused(sagemaker: Any, expression: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientError, match=rf"\(ValidationException\).*{sentence}"):
        sagemaker.search(Resource="TrainingJob", SearchExpression=expression)


def test_unknown_orders_are_refused_and_unbuilt_kinds_are_empty(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match=r"\(ValidationException\).*Unknown property name: Size"):
        sagemaker.search(Resource="Experiment", SortBy="Size")
    for resource in ("Pipeline", "FeatureGroup", "HubContent"):
        answer = sagemaker.search(Resource=resource, SearchExpression={"Filters": [where("Name", "Equals", "x")]})
        assert answer["Results"] == []
    with pytest.raises(ClientError, match="ValidationException"):
        sagemaker.search(Resource="Nothing")


def test_search_needs_leave(client: Make, unique: Make) -> None:
    iam, name = client("iam"), unique("user")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    own = client("sagemaker", **keys)
    with pytest.raises(ClientError, match=r"AccessDenied.*sagemaker:Search"):
        own.search(Resource="Experiment")
    allowed = {"Effect": "Allow", "Action": "sagemaker:Search", "Resource": "*"}
    seen = {"StringEquals": {"sagemaker:SearchVisibilityCondition/Tags.team/EqualsIfExists": "red"}}
    for condition, conditions, code in (
        ({}, [], ""),
        (seen, [], "AccessDenied"),
        (seen, [{"Key": "Tags.team", "Value": "red"}], ""),
        (seen, [{"Key": "Tags.team", "Value": "blue"}], "AccessDenied"),
    ):
        statement = {**allowed, **({"Condition": condition} if condition else {})}
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        options = {"VisibilityConditions": conditions} if conditions else {}
        if code:
            with pytest.raises(ClientError, match=code):
                own.search(Resource="Experiment", **options)
        else:
            assert "Results" in own.search(Resource="Experiment", **options)


def test_jobs_are_found_by_hyperparameters_channels_and_metrics(
    sagemaker: Any, search: Make, role: str, bucket: str, upload: Make, unique: Make, wait: Make
) -> None:
    name = unique("Sought")
    rows = "".join(f"{number % 7},{number}\n" for number in range(50)).encode()
    source = {"S3DataType": "S3Prefix", "S3Uri": upload(f"{name}/rows.csv", rows)}
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=role,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "3", "eta": "0.3"},
        InputDataConfig=[
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}},
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        Tags=[{"Key": "found", "Value": name}],
    )  # fmt: skip
    tagged = where("Tags.found", "Equals", name)
    assert [each["TrainingJobName"] for each in search("TrainingJob", tagged)] == [name]
    over = ("Completed", "Failed")
    wait(lambda: sagemaker.describe_training_job(TrainingJobName=name), lambda job: job["TrainingJobStatus"] in over)
    for asked, count in (
        (where("TrainingJobName", "Equals", name), 1),
        (where("TrainingJobStatus", "Equals", "Completed"), 1),
        (where("HyperParameters.eta", "LessThan", "0.5"), 1),
        (where("HyperParameters.eta", "LessThan", "0.1"), 0),
        (where("HyperParameters.eta", "Equals", "0"), 1),
        (where("HyperParameters.num_round", "Equals", "3"), 1),
        (where("Metrics.train:rmse", "LessThan", "100"), 1),
        (where("Metrics.train:rmse", "GreaterThan", "100"), 0),
        (where("Metrics.missing", "GreaterThan", "0"), 0),
        (where("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", f"{name}/rows"), 1),
        (where("AlgorithmSpecification.TrainingImage", "Contains", "xgboost"), 1),
        (where("ResourceConfig.InstanceCount", "GreaterThanOrEqualTo", "1"), 1),
        (where("EnableManagedSpotTraining", "Equals", "false"), 1),
        (where("EnableManagedSpotTraining", "Equals", "true"), 0),
    ):
        assert len(search("TrainingJob", tagged, asked)) == count, asked
    channel = [
        where("InputDataConfig.ChannelName", "Equals", "train"),
        where("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", name),
    ]
    nested = {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": channel}]}
    (found,) = search("TrainingJob", SearchExpression=nested, SortBy="Metrics.train:rmse")
    assert found["FinalMetricDataList"]
    assert found["Tags"] == [{"Key": "found", "Value": name}]
    with pytest.raises(ClientError, match=r"text property ResourceConfig.InstanceType"):
        search("TrainingJob", tagged, where("ResourceConfig.InstanceType", "GreaterThan", "1"))


def test_models_endpoints_and_packages_are_found(
    sagemaker: Any, search: Make, configure: Make, endpoint: Make, unique: Make
) -> None:
    configuration = configure()
    name = endpoint(configuration)
    (model,) = search("Model", where("ModelName", "Equals", configuration))
    assert model["Model"]["ModelName"] == configuration
    assert [each["EndpointName"] for each in model["Endpoints"]] == [name]
    assert len(search("Model", where("Model.PrimaryContainer.Image", "Contains", configuration))) == 0
    assert len(search("Model", where("Endpoints.EndpointName", "Equals", name))) == 1
    (found,) = search("Endpoint", where("EndpointName", "Equals", name), where("EndpointStatus", "Equals", "InService"))
    assert found["ProductionVariants"][0]["VariantName"] == "AllTraffic"
    sagemaker.delete_endpoint(EndpointName=name)
    group = unique("Group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=[{"Key": "a", "Value": "b"}])
    for status in ("Approved", "Rejected", "Approved"):
        sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": XGBOOST, "ModelDataUrl": "s3://b/m.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
    approved = search(
        "ModelPackage",
        where("ModelPackageGroupName", "Equals", group),
        where("ModelApprovalStatus", "Equals", "Approved"),
        SortBy="ModelPackageVersion",
    )
    assert [each["ModelPackageVersion"] for each in approved] == [3, 1]
    (whole,) = search("ModelPackageGroup", where("ModelPackageGroupName", "Contains", group))
    assert whole["Tags"] == [{"Key": "a", "Value": "b"}]


def test_tuning_jobs_are_found_with_their_training_jobs(
    sagemaker: Any, search: Make, role: str, bucket: str, upload: Make, unique: Make
) -> None:
    name = unique("Sought")
    rows = "".join(f"{number % 7},{number}\n" for number in range(50)).encode()
    channels = [
        {
            "ChannelName": channel,
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": upload(f"{name}/{channel}", rows)}},
        }
        for channel in ("train", "validation")
    ]
    ranges = {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}]}
    arn = sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": ranges,
        },
        TrainingJobDefinition={
            "StaticHyperParameters": {"objective": "reg:squarederror", "num_round": "3"},
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "RoleArn": role,
            "InputDataConfig": channels,
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/tuned"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )["HyperParameterTuningJobArn"]
    named = where("HyperParameterTuningJobName", "Equals", name)
    (found,) = search("HyperParameterTuningJob", named, where("HyperParameterTuningJobStatus", "NotEquals", "Failed"))
    assert found["HyperParameterTuningJobConfig"]["ParameterRanges"]["ContinuousParameterRanges"][0]["Name"] == "eta"
    launched = search("TrainingJob", where("TuningJobArn", "Equals", arn))
    assert len(launched) <= 1
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


@pytest.mark.parametrize("depth", [49, 60, 150, 250, 2000])
def test_expressions_that_nest_without_end_are_refused(sagemaker: Any, depth: int) -> None:
    expression = '{"Filters": [{"Name": "TrainingJobName", "Operator": "NotExists"}]}'
    for _ in range(depth - 1):
        expression = f'{{"SubExpressions": [{expression}]}}'

    def send(request: Any, **_: Any) -> None:
        request.data = f'{{"Resource": "TrainingJob", "SearchExpression": {expression}}}'

    event = "before-sign.sagemaker.Search"
    sagemaker.meta.events.register(event, send)
    try:
        if depth < 50:
            assert sagemaker.search(Resource="TrainingJob")["Results"] == []
        else:
            with pytest.raises(ClientError, match=r"ValidationException|SerializationException"):
                sagemaker.search(Resource="TrainingJob")
    finally:
        sagemaker.meta.events.unregister(event, send)
