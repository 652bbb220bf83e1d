"""What the platform tracks by itself: jobs as trial components, and the lineage of what they made, through boto3."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


@pytest.fixture
def start(sagemaker: Any, role: str, bucket: str, upload: Make, unique: Make) -> Make:
    """Return what starts a training job of XGBoost and returns its name and the URI of its channel."""

    def make(**options: Any) -> tuple[str, str]:
        name = unique("Tracked")
        uri = upload(f"{name}/rows.csv", "".join(f"{number % 7},{number}\n" for number in range(50)).encode())
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
        sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=role,
            AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            HyperParameters={"num_round": "4", "objective": "reg:squarederror"},
            InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": source}],
            OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
            **options,
        )
        return name, uri

    return make


def test_a_job_is_tracked_in_its_experiment(
    client: Make, sagemaker: Any, start: Make, unique: Make, wait: Make
) -> None:
    experiment, run = unique("experiment"), unique("run")
    sagemaker.create_experiment(ExperimentName=experiment)
    run_arn = sagemaker.create_trial_component(TrialComponentName=run)["TrialComponentArn"]
    given = {"ExperimentName": experiment, "TrialComponentDisplayName": "Training", "RunName": run}
    name, uri = start(ExperimentConfig=given)
    arn = sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobArn"]

    def tracked() -> dict[str, Any]:
        found = sagemaker.list_trial_components(SourceArn=arn)["TrialComponentSummaries"]
        named = {"TrialComponentName": found[0]["TrialComponentName"]} if found else None
        return sagemaker.describe_trial_component(**named) if named else {}

    component = wait(tracked, lambda found: found.get("Status", {}).get("PrimaryStatus") in ("Completed", "Failed"))
    job = sagemaker.describe_training_job(TrainingJobName=name)
    assert component["TrialComponentName"] == f"{name}-aws-training-job"
    assert component["DisplayName"] == "Training"
    assert component["Source"] == {"SourceArn": arn, "SourceType": "SageMakerTrainingJob"}
    assert component["Status"]["Message"] == "Status: Completed, secondary status: Completed, failure reason: ."
    assert component["Parameters"] == {
        "num_round": {"NumberValue": 4},
        "objective": {"StringValue": "reg:squarederror"},
        "SageMaker.InstanceType": {"StringValue": "ml.m5.large"},
        "SageMaker.InstanceCount": {"NumberValue": 1},
        "SageMaker.VolumeSizeInGB": {"NumberValue": 5},
    }
    assert component["InputArtifacts"] == {
        "train": {"MediaType": "text/csv", "Value": uri}, "SageMaker.ImageUri": {"Value": XGBOOST},
    }  # fmt: skip
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert component["OutputArtifacts"] == {"SageMaker.ModelArtifact": {"Value": model}}
    assert component["EndTime"] == job["TrainingEndTime"]
    (metric,) = component["Metrics"]
    assert (metric["MetricName"], metric["Count"]) == ("train:rmse", 4)
    assert metric["Min"] <= metric["Last"] <= metric["Max"]
    assert metric["StdDev"] > 0
    query = {"MetricName": "train:rmse", "ResourceArn": arn, "MetricStat": "Last", "Period": "IterationNumber"}
    queries = [query | {"XAxisType": "IterationNumber"}, query | {"Period": "OneHour", "XAxisType": "Timestamp"}]
    steps, hours = client("sagemaker-metrics").batch_get_metrics(MetricQueries=queries)["MetricQueryResults"]
    assert steps["XAxisValues"] == [0, 1, 2, 3]
    assert steps["MetricValues"] == sorted(steps["MetricValues"], reverse=True)
    assert steps["MetricValues"][-1] == hours["MetricValues"][-1] == pytest.approx(metric["Last"])
    inside = sagemaker.list_trial_components(ExperimentName=experiment)["TrialComponentSummaries"]
    assert [each["TrialComponentName"] for each in inside] == [component["TrialComponentName"]]
    linked = sagemaker.list_associations(SourceArn=run_arn)["AssociationSummaries"]
    assert [each["DestinationType"] for each in linked] == ["TrainingJob"]
    record = sagemaker.search(
        Resource="ExperimentTrialComponent",
        SearchExpression={"Filters": [{"Name": "Source.SourceArn", "Operator": "Equals", "Value": arn}]},
    )["Results"][0]["TrialComponent"]
    assert record["SourceDetail"]["TrainingJob"]["TrainingJobName"] == name
    assert record["Parents"][0]["ExperimentName"] == experiment


def test_an_endpoint_leads_back_to_the_data_of_its_model(
    client: Make, sagemaker: Any, start: Make, role: str, unique: Make, wait: Make, settle: Make
) -> None:
    """A version of the registry is approved, becomes a model by its name, is deployed, answers, and is traced back."""
    name, uri = start()
    over = ("Completed", "Failed")
    job = wait(
        lambda: sagemaker.describe_training_job(TrainingJobName=name), lambda found: found["TrainingJobStatus"] in over
    )
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    group = unique("Group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": XGBOOST, "ModelDataUrl": model}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    served = unique("served")
    sagemaker.create_model(
        ModelName=served, ExecutionRoleArn=role, PrimaryContainer={"ModelPackageName": package}
    )  # fmt: skip
    variant = {"VariantName": "v", "ModelName": served, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=served, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=served, EndpointConfigName=served)
    endpoint = settle(served)
    assert endpoint["EndpointStatus"] == "InService", endpoint
    answer = client("sagemaker-runtime").invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"3")
    assert 0 <= float(answer["Body"].read()) <= 6
    contexts = wait(
        lambda: sagemaker.list_contexts(SourceUri=endpoint["EndpointArn"]), lambda found: found["ContextSummaries"]
    )
    context = contexts["ContextSummaries"][0]
    assert context["ContextType"] == "Endpoint"

    def ascendants() -> dict[str, Any]:
        found = sagemaker.query_lineage(StartArns=[context["ContextArn"]], Direction="Ascendants", MaxResults=50)
        return {each["Type"]: each for each in found["Vertices"]}

    found = wait(ascendants, lambda kinds: {"DataSet", "ModelDeployment"} <= set(kinds))
    assert set(found) == {"DataSet", "Image", "Model", "ModelDeployment", "TrainingJob"}
    dataset = sagemaker.describe_artifact(ArtifactArn=found["DataSet"]["Arn"])
    assert dataset["Source"]["SourceUri"] == uri
    packages = sagemaker.list_artifacts(SourceUri=package)["ArtifactSummaries"]
    below = sagemaker.query_lineage(StartArns=[packages[0]["ArtifactArn"]], Direction="Descendants", MaxResults=50)
    assert {each["Type"] for each in below["Vertices"]} == {"ModelGroup", "Approval", "ModelDeployment", "Endpoint"}
    sagemaker.delete_endpoint(EndpointName=served)


def test_jobs_name_experiments_that_there_are(start: Make, unique: Make) -> None:
    for config in ({"ExperimentName": unique("none")}, {"TrialName": unique("none")}):
        with pytest.raises(ClientError, match=r"\(ResourceNotFound\).*does not exist"):
            start(ExperimentConfig=config)


def test_processing_and_transform_jobs_are_tracked_in_a_trial(
    sagemaker: Any, configure: Make, role: str, bucket: str, upload: Make, unique: Make, wait: Make
) -> None:
    trial, experiment, name = unique("trial"), unique("experiment"), unique("both")
    sagemaker.create_experiment(ExperimentName=experiment)
    sagemaker.create_trial(TrialName=trial, ExperimentName=experiment)
    config = {"ExperimentName": experiment, "TrialName": trial}
    rows, path = upload("rows/part.csv", b"0.25\n0.5\n"), "/opt/ml/processing/input"
    analyzer = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
    reading = {"S3Uri": rows, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    writing = {"S3Uri": f"s3://{bucket}/out", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=role,
        AppSpecification={"ImageUri": analyzer},
        ProcessingInputs=[{"InputName": "data", "S3Input": reading}],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "report", "S3Output": writing}]},
        ProcessingResources={"ClusterConfig": cluster},
        Environment={
            "dataset_format": '{"csv": {"header": false}}', "dataset_source": path,
            "output_path": "/opt/ml/processing/output", "publish_cloudwatch_metrics": "Disabled",
        },
        ExperimentConfig=config,
    )  # fmt: skip
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/rows/"}}
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=configure(),
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{bucket}/scores", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        ExperimentConfig=config,
    )

    def tracked() -> dict[str, Any]:
        expression = {"Filters": [{"Name": "Parents.TrialName", "Operator": "Equals", "Value": trial}]}
        found = sagemaker.search(Resource="ExperimentTrialComponent", SearchExpression=expression)["Results"]
        return {each["TrialComponent"]["TrialComponentName"]: each["TrialComponent"] for each in found}

    done = wait(
        tracked,
        lambda found: (
            len(found) == 2
            and all(each["Status"]["PrimaryStatus"] in ("Completed", "Failed") for each in found.values())
        ),
    )
    processing, transform = done[f"{name}-aws-processing-job"], done[f"{name}-aws-transform-job"]
    assert processing["Status"]["PrimaryStatus"] == transform["Status"]["PrimaryStatus"] == "Completed"
    assert processing["InputArtifacts"] == {"data": {"Value": rows}, "SageMaker.ImageUri": {"Value": analyzer}}
    assert processing["OutputArtifacts"] == {"report": {"Value": f"s3://{bucket}/out"}}
    assert processing["SourceDetail"]["ProcessingJob"]["ProcessingJobName"] == name
    assert transform["SourceDetail"]["TransformJob"]["TransformJobName"] == name
    assert transform["InputArtifacts"]["SageMaker.TransformInput"]["MediaType"] == "text/csv"
    assert transform["OutputArtifacts"]["SageMaker.TransformOutput"]["Value"] == f"s3://{bucket}/scores"
    written = sagemaker.list_associations(SourceArn=processing["TrialComponentArn"])["AssociationSummaries"]
    assert [each["AssociationType"] for each in written] == ["Produced"]
    assert written[0]["SourceType"] == "ProcessingJob"
