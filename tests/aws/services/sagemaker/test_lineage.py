"""Artifacts, actions, contexts, their associations and queries of lineage, through boto3."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


@pytest.fixture
def artifact(sagemaker: Any, unique: Make) -> Make:
    """Return what makes an artifact of a new source and returns its ARN."""

    def make(kind: str = "DataSet", **options: Any) -> str:
        source = {"SourceUri": f"s3://lineage/{unique('a')}"}
        arn: str = sagemaker.create_artifact(**{"Source": source, "ArtifactType": kind} | options)["ArtifactArn"]
        return arn

    return make


@pytest.fixture
def action(sagemaker: Any, unique: Make) -> Make:
    """Return what makes an action and returns its ARN."""

    def make(kind: str = "ModelDeployment", **options: Any) -> str:
        given = {"ActionName": unique("Action"), "ActionType": kind, "Source": {"SourceUri": "s3://x"}} | options
        arn: str = sagemaker.create_action(**given)["ActionArn"]
        return arn

    return make


@pytest.fixture
def chain(sagemaker: Any, artifact: Make, action: Make, unique: Make) -> dict[str, str]:
    """Make data → component → model → deployment → endpoint, and return their ARNs."""
    component = sagemaker.create_trial_component(TrialComponentName=unique("component"))["TrialComponentArn"]
    context = sagemaker.create_context(
        ContextName=unique("Context"), ContextType="Endpoint", Source={"SourceUri": "arn:x"}
    )["ContextArn"]
    found = {"data": artifact(Properties={"team": "red"}), "component": component, "model": artifact("Model")} | {
        "action": action(), "context": context,
    }  # fmt: skip
    arns = list(found.values())
    kinds = ("ContributedTo", "Produced", "ContributedTo", "AssociatedWith")
    for source, destination, kind in zip(arns, arns[1:], kinds, strict=False):
        sagemaker.add_association(SourceArn=source, DestinationArn=destination, AssociationType=kind)
    return found


def refused(code: str, sentence: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{sentence}")


def test_an_artifact_is_known_once_by_its_source(sagemaker: Any, unique: Make) -> None:
    uri = f"s3://lineage/{unique('data')}"
    source = {"SourceUri": uri, "SourceTypes": [{"SourceIdType": "S3ETag", "Value": "1"}]}
    given = {"ArtifactName": "name", "Source": source, "ArtifactType": "DataSet", "Properties": {"a": "1", "b": "2"}}
    arn = sagemaker.create_artifact(**given, Tags=[{"Key": "k", "Value": "v"}])["ArtifactArn"]
    described = sagemaker.describe_artifact(ArtifactArn=arn)
    assert {name: described[name] for name in given} == given
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    with refused("ValidationException", "already exists"):
        sagemaker.create_artifact(Source=source, ArtifactType="Other")
    newer = source | {"SourceTypes": [{"SourceIdType": "S3ETag", "Value": "2"}]}
    other = sagemaker.create_artifact(Source=newer, ArtifactType="Model")["ArtifactArn"]
    listed = sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"]
    assert [each["ArtifactArn"] for each in listed] == [other, arn]
    assert listed[1]["Source"] == source
    (only,) = sagemaker.list_artifacts(SourceUri=uri, ArtifactType="DataSet")["ArtifactSummaries"]
    assert only["ArtifactArn"] == arn
    sagemaker.update_artifact(
        ArtifactArn=arn, ArtifactName="other", Properties={"b": "3", "c": "4"}, PropertiesToRemove=["a"]
    )
    changed = sagemaker.describe_artifact(ArtifactArn=arn)
    assert (changed["ArtifactName"], changed["Properties"]) == ("other", {"b": "3", "c": "4"})
    with refused("ValidationException", "more than 30 properties"):
        sagemaker.update_artifact(ArtifactArn=arn, Properties={f"p{number}": "v" for number in range(29)})
    sagemaker.delete_artifact(Source=newer)
    assert sagemaker.delete_artifact(ArtifactArn=arn)["ArtifactArn"] == arn
    for call in (sagemaker.describe_artifact, sagemaker.update_artifact, sagemaker.delete_artifact):
        with refused("ResourceNotFound", "does not exist"):
            call(ArtifactArn=arn)
    with refused("ValidationException", "one of the two"):
        sagemaker.delete_artifact()


def test_actions_and_contexts_are_described_changed_listed_and_deleted(sagemaker: Any, unique: Make) -> None:
    uri = f"arn:{unique('source')}"
    for kind, more in (("Action", {"Status": "InProgress"}), ("Context", {})):
        calls = {verb: getattr(sagemaker, f"{verb}_{kind.lower()}") for verb in ("create", "describe", "update")}
        name = unique(kind)
        given = {
            f"{kind}Name": name, f"{kind}Type": "Kind", "Source": {"SourceUri": uri, "SourceType": "ARN"},
            "Description": "d", "Properties": {"a": "1"}, **more,
        }  # fmt: skip
        arn = calls["create"](**given)[f"{kind}Arn"]
        described = calls["describe"](**{f"{kind}Name": name})
        assert {member: described[member] for member in given} == given
        assert calls["describe"](**{f"{kind}Name": arn})[f"{kind}Name"] == name
        with refused("ValidationException", "already exists"):
            calls["create"](**given)
        calls["update"](**{f"{kind}Name": name, "Description": "e", "PropertiesToRemove": ["a"]})
        changed = calls["describe"](**{f"{kind}Name": name})
        assert (changed["Description"], changed.get("Properties", {})) == ("e", {})
        listing = getattr(sagemaker, f"list_{kind.lower()}s")
        (summary,) = listing(SourceUri=uri, **{f"{kind}Type": "Kind"})[f"{kind}Summaries"]
        assert (summary[f"{kind}Arn"], summary[f"{kind}Name"]) == (arn, name)
        assert listing(SourceUri=uri, **{f"{kind}Type": "Other"})[f"{kind}Summaries"] == []
        old = {"CreatedBefore": datetime.now(UTC) - timedelta(days=1)}
        assert listing(SourceUri=uri, **old)[f"{kind}Summaries"] == []
        getattr(sagemaker, f"delete_{kind.lower()}")(**{f"{kind}Name": name})
        with refused("ResourceNotFound", "does not exist"):
            calls["describe"](**{f"{kind}Name": name})


def test_associations_are_listed_by_ends_and_types(sagemaker: Any, chain: dict[str, str]) -> None:
    def listed(**of: str) -> list[tuple[str, str]]:
        found = sagemaker.list_associations(**of)["AssociationSummaries"]
        return [(each["SourceArn"], each["DestinationArn"]) for each in found]

    first, last = (chain["data"], chain["component"]), (chain["action"], chain["context"])
    assert listed(SourceArn=chain["data"]) == [first]
    assert listed(DestinationArn=chain["context"]) == [last]
    assert listed(SourceArn=chain["action"], DestinationType="Endpoint") == [last]
    assert listed(SourceArn=chain["action"], DestinationType="Model") == []
    assert listed(SourceArn=chain["action"], AssociationType="Produced") == []
    (summary,) = sagemaker.list_associations(SourceArn=chain["action"])["AssociationSummaries"]
    assert (summary["SourceType"], summary["DestinationType"]) == ("ModelDeployment", "Endpoint")
    assert summary["AssociationType"] == "AssociatedWith"
    assert summary["DestinationName"].startswith("Context-")
    assert summary["CreatedBy"]["IamIdentity"]["Arn"].endswith(":root")
    with refused("ValidationException", "already exists"):
        sagemaker.add_association(SourceArn=first[0], DestinationArn=first[1])
    with refused("ValidationException", "itself"):
        sagemaker.add_association(SourceArn=first[0], DestinationArn=first[0])
    with refused("ResourceNotFound", "does not exist"):
        sagemaker.add_association(SourceArn=first[0], DestinationArn=f"{first[0]}0")
    for delete, member in (
        (sagemaker.delete_artifact, {"ArtifactArn": chain["data"]}),
        (sagemaker.delete_action, {"ActionName": chain["action"].rpartition("/")[2]}),
        (sagemaker.delete_context, {"ContextName": chain["context"].rpartition("/")[2]}),
    ):
        with refused("ValidationException", "while it has associations"):
            delete(**member)
    sagemaker.delete_association(SourceArn=first[0], DestinationArn=first[1])
    with refused("ResourceNotFound", "does not exist"):
        sagemaker.delete_association(SourceArn=first[0], DestinationArn=first[1])
    assert listed(SourceArn=chain["data"]) == []
    sagemaker.delete_artifact(ArtifactArn=chain["data"])


def test_lineage_is_walked_both_ways(sagemaker: Any, chain: dict[str, str]) -> None:
    def walk(start: str, direction: str = "Both", **options: Any) -> set[str]:
        found = sagemaker.query_lineage(StartArns=[chain[start]], Direction=direction, **{"MaxResults": 50} | options)
        known = {arn: name for name, arn in chain.items()}
        return {known[each["Arn"]] for each in found["Vertices"]}

    assert walk("context", "Ascendants") == {"data", "component", "model", "action"}
    assert walk("context", "Descendants") == set()
    assert walk("data", "Descendants", MaxDepth=2) == {"component", "model"}
    assert walk("model") == {"data", "component", "action", "context"}
    assert walk("context", "Ascendants", Filters={"Types": ["DataSet"]}) == {"data"}
    assert walk("context", "Ascendants", Filters={"LineageTypes": ["Artifact"]}) == {"data", "model"}
    assert walk("context", "Ascendants", Filters={"Properties": {"team": "red"}}) == {"data"}
    assert walk("context", "Ascendants", Filters={"Properties": {"team": "blue"}}) == set()
    later = datetime.now(UTC) + timedelta(hours=1)
    assert walk("context", "Ascendants", Filters={"CreatedAfter": later}) == set()
    assert walk("context", "Ascendants", Filters={"ModifiedBefore": later}) == {"data", "component", "model", "action"}
    whole = sagemaker.query_lineage(StartArns=[chain["model"]], Direction="Both", MaxResults=50, IncludeEdges=True)
    edges = {(each["SourceArn"], each["DestinationArn"], each["AssociationType"]) for each in whole["Edges"]}
    assert (chain["component"], chain["model"], "Produced") in edges
    assert len(edges) == 4
    assert sagemaker.query_lineage(StartArns=[chain["model"]], IncludeEdges=False)["Edges"] == []


def test_queries_come_in_pages_and_end_in_circles(sagemaker: Any, artifact: Make) -> None:
    ring = [artifact() for _ in range(5)]
    for source, destination in zip(ring, ring[1:] + ring[:1], strict=True):
        sagemaker.add_association(SourceArn=source, DestinationArn=destination)
    found, token = [], {}
    for count in (2, 2):
        page = sagemaker.query_lineage(StartArns=ring[:1], Direction="Descendants", MaxResults=2, **token)
        assert len(page["Vertices"]) == count
        found += [each["Arn"] for each in page["Vertices"]]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else {}
    assert not token
    assert found == ring[1:]


def test_what_no_query_can_be_is_refused(sagemaker: Any, chain: dict[str, str]) -> None:
    with refused("ValidationException", "at least one of the two"):
        sagemaker.query_lineage()
    with refused("ResourceNotFound", "does not exist"):
        sagemaker.query_lineage(StartArns=[f"{chain['data']}0"])
    with refused("ValidationException"):
        sagemaker.query_lineage(StartArns=[chain["data"]], MaxDepth=11)
    with refused("ValidationException") as raised:
        sagemaker.query_lineage(StartArns=[chain["data"]], NextToken="foreign")
    assert "pagination token" in raised.value.response["Error"]["Message"]


def test_an_association_needs_leave_for_both_ends(client: Make, unique: Make, artifact: Make, sagemaker: Any) -> None:
    iam, user, ends = client("iam"), unique("user"), [artifact(), artifact()]
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    own = client("sagemaker", **keys)

    def allow(arns: list[str]) -> None:
        statement = {"Effect": "Allow", "Action": "sagemaker:AddAssociation", "Resource": arns}
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)

    allow(ends[:1])
    with refused("AccessDeniedException"):
        own.add_association(SourceArn=ends[0], DestinationArn=ends[1])
    assert sagemaker.list_associations(SourceArn=ends[0])["AssociationSummaries"] == []
    allow(ends)
    assert own.add_association(SourceArn=ends[0], DestinationArn=ends[1])["SourceArn"] == ends[0]
