"""Experiments, trials and trial components, through boto3."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

Make = Callable[..., Any]
HOUR = timedelta(hours=1)


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


@pytest.fixture
def experiment(sagemaker: Any, unique: Make) -> str:
    """Return the name of a new experiment."""
    name = unique("Experiment")
    sagemaker.create_experiment(ExperimentName=name, Description="d")
    return name


@pytest.fixture
def trial(sagemaker: Any, experiment: str, unique: Make) -> str:
    """Return the name of a new trial in the experiment."""
    name = unique("Trial")
    sagemaker.create_trial(TrialName=name, ExperimentName=experiment)
    return name


@pytest.fixture
def component(sagemaker: Any, unique: Make) -> str:
    """Return the name of a new trial component."""
    name = unique("Component")
    sagemaker.create_trial_component(TrialComponentName=name)
    return name


def refused(code: str, sentence: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{sentence}")


def names(summaries: list[dict[str, Any]], member: str) -> list[str]:
    return [each[member] for each in summaries]


def test_an_experiment_is_described_changed_listed_and_deleted(sagemaker: Any, experiment: str, unique: Make) -> None:
    described = sagemaker.describe_experiment(ExperimentName=experiment)
    assert described["ExperimentArn"].endswith(f":experiment/{experiment.lower()}")
    assert (described["DisplayName"], described["Description"]) == (experiment, "d")
    assert described["CreatedBy"]["IamIdentity"]["Arn"].endswith(":root")
    sagemaker.update_experiment(ExperimentName=experiment, DisplayName="Shown")
    changed = sagemaker.describe_experiment(ExperimentName=experiment)
    assert (changed["DisplayName"], changed["Description"]) == ("Shown", "d")
    assert changed["LastModifiedTime"] >= described["LastModifiedTime"]
    later = f"{experiment}-later"
    sagemaker.create_experiment(ExperimentName=later)
    since = {"CreatedAfter": described["CreationTime"] - timedelta(seconds=1)}
    pages = sagemaker.get_paginator("list_experiments").paginate(**since, PaginationConfig={"PageSize": 1})
    found = [each for page in pages for each in names(page["ExperimentSummaries"], "ExperimentName")]
    assert found.index(later) < found.index(experiment)
    ordered = sagemaker.list_experiments(SortBy="Name", SortOrder="Ascending", MaxResults=100, **since)
    listed = names(ordered["ExperimentSummaries"], "ExperimentName")
    assert listed == sorted(listed)
    assert sagemaker.list_experiments(CreatedBefore=datetime(2020, 1, 1, tzinfo=UTC))["ExperimentSummaries"] == []
    with refused("ValidationException", "already exists"):
        sagemaker.create_experiment(ExperimentName=experiment.upper())
    assert sagemaker.delete_experiment(ExperimentName=experiment)["ExperimentArn"] == described["ExperimentArn"]
    for call in (sagemaker.describe_experiment, sagemaker.update_experiment, sagemaker.delete_experiment):
        with refused("ResourceNotFound", "does not exist"):
            call(ExperimentName=experiment)


def test_a_trial_belongs_to_an_experiment(sagemaker: Any, experiment: str, trial: str, unique: Make) -> None:
    described = sagemaker.describe_trial(TrialName=trial)
    assert (described["ExperimentName"], described["DisplayName"]) == (experiment, trial)
    assert described["TrialArn"].endswith(f":experiment-trial/{trial.lower()}")
    sagemaker.update_trial(TrialName=trial, DisplayName="Shown")
    assert sagemaker.describe_trial(TrialName=trial)["DisplayName"] == "Shown"
    other = unique("Other")
    sagemaker.create_experiment(ExperimentName=other)
    sagemaker.create_trial(TrialName=other, ExperimentName=other)
    assert names(sagemaker.list_trials(ExperimentName=experiment)["TrialSummaries"], "TrialName") == [trial]
    with refused("ValidationException", "while it has trials"):
        sagemaker.delete_experiment(ExperimentName=experiment)
    with refused("ResourceNotFound", "does not exist"):
        sagemaker.create_trial(TrialName=unique("t"), ExperimentName=unique("none"))
    with refused("ValidationException", "already exists"):
        sagemaker.create_trial(TrialName=trial, ExperimentName=other)
    with refused("ResourceNotFound"):
        sagemaker.list_trials(ExperimentName=unique("none"))
    sagemaker.delete_trial(TrialName=trial)
    sagemaker.delete_experiment(ExperimentName=experiment)
    with refused("ResourceNotFound"):
        sagemaker.describe_trial(TrialName=trial)


def test_a_component_keeps_what_it_is_told(sagemaker: Any, unique: Make) -> None:
    name, start = unique("Component"), datetime(2026, 5, 1, 12, tzinfo=UTC)
    given = {
        "DisplayName": "Shown",
        "Status": {"PrimaryStatus": "InProgress", "Message": "under way"},
        "StartTime": start,
        "Parameters": {"end_time": {"NumberValue": 7}, "kind": {"StringValue": "a"}},
        "InputArtifacts": {"data": {"MediaType": "text/csv", "Value": "s3://b/in"}, "old": {"Value": "x"}},
        "OutputArtifacts": {"model": {"Value": "s3://b/out"}},
        "MetadataProperties": {"CommitId": "1"},
    }
    arn = sagemaker.create_trial_component(TrialComponentName=name, **given)["TrialComponentArn"]
    described = sagemaker.describe_trial_component(TrialComponentName=name)
    assert {member: described[member] for member in given} == given
    assert sagemaker.describe_trial_component(TrialComponentName=arn)["TrialComponentName"] == name
    sagemaker.update_trial_component(
        TrialComponentName=name,
        Status={"PrimaryStatus": "Completed"},
        EndTime=start + HOUR,
        Parameters={"kind": {"StringValue": "b"}, "new": {"NumberValue": 0.5}},
        ParametersToRemove=["end_time", "missing"],
        InputArtifactsToRemove=["old"],
        OutputArtifacts={"report": {"Value": "s3://b/report"}},
    )
    described = sagemaker.describe_trial_component(TrialComponentName=name)
    assert described["Parameters"] == {"kind": {"StringValue": "b"}, "new": {"NumberValue": 0.5}}
    assert set(described["InputArtifacts"]) == {"data"}
    assert set(described["OutputArtifacts"]) == {"model", "report"}
    assert (described["Status"], described["EndTime"]) == ({"PrimaryStatus": "Completed"}, start + HOUR)
    assert described["StartTime"] == start
    with refused("ValidationException", "more than 300 parameters"):
        many = {f"p{number}": {"NumberValue": number} for number in range(299)}
        sagemaker.update_trial_component(TrialComponentName=name, Parameters=many)


def test_components_are_in_trials(sagemaker: Any, experiment: str, trial: str, component: str, unique: Make) -> None:
    other = unique("Other")
    sagemaker.create_trial(TrialName=other, ExperimentName=experiment)
    for each in (trial, other, trial):
        sagemaker.associate_trial_component(TrialComponentName=component, TrialName=each)

    def inside(**of: str) -> list[str]:
        found = sagemaker.list_trial_components(**of)["TrialComponentSummaries"]
        return names(found, "TrialComponentName")

    assert inside(TrialName=trial) == inside(ExperimentName=experiment) == [component]
    holding = sagemaker.list_trials(TrialComponentName=component, SortBy="Name", SortOrder="Ascending")
    assert names(holding["TrialSummaries"], "TrialName") == sorted([trial, other])
    with refused("ValidationException", "while it has components"):
        sagemaker.delete_trial(TrialName=trial)
    with refused("ValidationException", "still in a trial"):
        sagemaker.delete_trial_component(TrialComponentName=component)
    for each in (trial, other):
        sagemaker.disassociate_trial_component(TrialComponentName=component, TrialName=each)
    with refused("ResourceNotFound", "not associated"):
        sagemaker.disassociate_trial_component(TrialComponentName=component, TrialName=trial)
    assert inside(TrialName=trial) == inside(ExperimentName=experiment) == []
    with refused("ValidationException", "only one of"):
        inside(TrialName=trial, ExperimentName=experiment)
    with refused("ResourceNotFound"):
        sagemaker.associate_trial_component(TrialComponentName=component, TrialName=unique("none"))
    with refused("ResourceNotFound"):
        sagemaker.associate_trial_component(TrialComponentName=unique("none"), TrialName=trial)
    sagemaker.delete_trial_component(TrialComponentName=component)
    with refused("ResourceNotFound"):
        sagemaker.describe_trial_component(TrialComponentName=component)


@pytest.mark.parametrize("name", ["", "a_b", "-a", "a b", "ä", "x" * 121, "a-", "../a"])
def test_names_that_no_entity_may_have_are_refused(sagemaker: Any, name: str) -> None:
    for call, member in (
        (sagemaker.create_experiment, "ExperimentName"),
        (sagemaker.create_trial_component, "TrialComponentName"),
    ):
        with pytest.raises(
            (ClientError, ParamValidationError), match=r"ValidationException|Invalid length|Parameter validation"
        ):
            call(**{member: name})
