"""Tags of resources of every service, through the operations of the tagging API."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from headrace.server import resources
from headrace.server.context import Context, Platform
from headrace.server.errors import Denied, InvalidInput
from headrace.server.operations import tagging
from headrace.server.resources import Place, Resource
from headrace.server.security.credentials import Caller
from headrace.server.security.secrets import Keyring
from headrace.server.stores.metadata import MetadataStore

MODEL = Resource("sagemaker/model", "model", "arn:{partition}:sagemaker:{region}:{account}:model/{name}")
BUCKET = Resource("s3/bucket", "bucket", "arn:{partition}:s3:::{name}", regional=False)
ROLE = Resource("iam/role", "role", "arn:{partition}:iam::{account}:role/{name}", regional=False)
GROUP = Resource("iam/group", "group", "arn:{partition}:iam::{account}:group/{name}", regional=False)
HERE = Place("111122223333", "eu-central-1")
CALLER = Caller("IAMUser", HERE.account, "arn:aws:iam::111122223333:user/a", "AIDA", "arn:aws:iam::111122223333:user/a")


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    """Collect the (action, ARN) pairs that were authorised; ARNs that end in "secret" are refused."""
    return []


@pytest.fixture
def context(metadata: MetadataStore, asked: list[tuple[str, str]]) -> Iterator[Context]:
    def authorise(action: str, arn: str) -> None:
        asked.append((action, arn))
        if arn.endswith("secret"):
            raise Denied(f"{CALLER.arn} is not allowed to do {action} on {arn}")

    platform = cast(Platform, SimpleNamespace(keyring=Keyring(b"k" * 32), metadata=metadata))
    with metadata.writing() as connection:
        yield Context(platform, connection, CALLER, HERE, 1000, "request", authorise)


def make(context: Context, kind: Resource, name: str, tags: dict[str, str], **record: Any) -> str:
    return resources.create(context.connection, kind, context.place, name, record, now=context.now, tags=tags).arn


def found(answer: dict[str, Any]) -> list[str]:
    return [each["resource_arn"].rpartition(":")[2] for each in answer["resource_tag_mapping_list"]]


def test_resources_are_found_by_tags_kinds_and_arns(context: Context) -> None:
    a = make(context, MODEL, "a", {"team": "red", "stage": "test"})
    make(context, MODEL, "b", {"team": "blue"})
    make(context, MODEL, "untagged", {})
    make(context, BUCKET, "mine", {"team": "red"}, region=HERE.region)
    make(context, BUCKET, "elsewhere", {"team": "red"}, region="us-west-2")
    make(context, ROLE, "global", {"team": "red"})
    everything = tagging.get_resources(context)
    assert found(everything) == ["mine", "model/a", "model/b"]
    assert everything["pagination_token"] == ""
    assert everything["resource_tag_mapping_list"][1] == {
        "resource_arn": a, "tags": [{"key": "stage", "value": "test"}, {"key": "team", "value": "red"}],
    }  # fmt: skip
    red = [{"key": "team", "values": ["red", "green"]}]
    assert found(tagging.get_resources(context, tag_filters=red)) == ["mine", "model/a"]
    assert found(tagging.get_resources(context, tag_filters=[*red, {"key": "stage"}])) == ["model/a"]
    assert found(tagging.get_resources(context, resource_type_filters=["s3"])) == ["mine"]
    assert found(tagging.get_resources(context, resource_type_filters=["sagemaker:model", "kms"])) == [
        "model/a", "model/b",
    ]  # fmt: skip
    assert found(tagging.get_resources(context, resource_arn_list=[a])) == ["model/a"]
    at_home = replace(context, place=Place(HERE.account, "us-east-1"))
    assert found(tagging.get_resources(at_home)) == ["role/global"]
    assert found(tagging.get_resources(replace(context, place=Place("999999999999", HERE.region)))) == []


def test_pages_hold_so_many_resources_or_tags(context: Context) -> None:
    for number in range(5):
        make(context, MODEL, f"m{number}", {f"k{tag:02}": "v" for tag in range(40)})
    names, token, sizes = [], "", []
    while True:
        page = tagging.get_resources(context, tags_per_page=100, pagination_token=token)
        sizes.append(len(page["resource_tag_mapping_list"]))
        names += found(page)
        token = page["pagination_token"]
        if not token:
            break
    assert sizes == [2, 2, 1]
    assert names == [f"model/m{number}" for number in range(5)]
    first = tagging.get_resources(context, resources_per_page=3)
    rest = tagging.get_resources(context, resources_per_page=3, pagination_token=first["pagination_token"])
    assert [*found(first), *found(rest)] == names
    assert rest["pagination_token"] == ""


def test_keys_and_values_are_listed_once_in_order(context: Context) -> None:
    for number in range(130):
        make(context, MODEL, f"m{number}", {"team": "red", f"k{number:03}": f"{number}", "number": f"{number:03}"})
    first = tagging.get_tag_keys(context)
    rest = tagging.get_tag_keys(context, pagination_token=first["pagination_token"])
    assert first["tag_keys"] + rest["tag_keys"] == [*(f"k{n:03}" for n in range(130)), "number", "team"]
    assert tagging.get_tag_values(context, key="team") == {"pagination_token": "", "tag_values": ["red"]}
    values = tagging.get_tag_values(context, key="number")
    more = tagging.get_tag_values(context, key="number", pagination_token=values["pagination_token"])
    assert values["tag_values"] + more["tag_values"] == [f"{n:03}" for n in range(130)]
    with pytest.raises(InvalidInput):
        tagging.get_tag_values(context, key="team", pagination_token=values["pagination_token"])


def test_each_resource_is_authorised_and_answers_for_itself(context: Context, asked: list[tuple[str, str]]) -> None:
    arns = [make(context, MODEL, name, {}) for name in ("a", "secret")]
    role, group = make(context, ROLE, "r", {}), make(context, GROUP, "g", {})
    bucket = make(context, BUCKET, "b", {}, region=HERE.region)
    strange = "arn:aws:sagemaker:eu-central-1:999999999999:model/a"
    answer = tagging.tag_resources(context, resource_arn_list=[*arns, role, group, bucket, strange], tags={"k": "v"})
    failed = answer["failed_resources_map"]
    assert {arn: failure["status_code"] for arn, failure in failed.items()} == {arns[1]: 403, group: 400, strange: 400}
    assert {failure["error_code"] for failure in failed.values()} == {"InvalidParameterException"}
    assert asked == [
        ("sagemaker:AddTags", arns[0]), ("sagemaker:AddTags", arns[1]), ("iam:TagRole", role),
        ("s3:PutBucketTagging", bucket),
    ]  # fmt: skip
    assert resources.tags_of(context.connection, arns[0]) == {"k": "v"}
    assert resources.tags_of(context.connection, arns[1]) == {}
    asked.clear()
    answer = tagging.untag_resources(context, resource_arn_list=[arns[0], arns[1]], tag_keys=["k", "absent"])
    assert list(answer["failed_resources_map"]) == [arns[1]]
    assert resources.tags_of(context.connection, arns[0]) == {}
    assert asked == [("sagemaker:DeleteTags", arns[0]), ("sagemaker:DeleteTags", arns[1])]


def test_reserved_keys_and_too_many_tags_fail_for_that_resource_only(context: Context) -> None:
    full = make(context, MODEL, "full", {f"k{n}": "v" for n in range(50)})
    free = make(context, MODEL, "free", {})
    failed = tagging.tag_resources(context, resource_arn_list=[full, free], tags={"one": "more"})
    assert list(failed["failed_resources_map"]) == [full]
    assert "more than 50 tags" in failed["failed_resources_map"][full]["error_message"]
    failed = tagging.tag_resources(context, resource_arn_list=[free], tags={"aws:owner": "me"})
    assert "reserved" in failed["failed_resources_map"][free]["error_message"]
    assert resources.tags_of(context.connection, free) == {"one": "more"}


@pytest.mark.parametrize(
    "asked_for",
    [
        {"resource_arn_list": ["arn"], "tag_filters": [{"key": "k"}]},
        {"resource_arn_list": ["arn"], "pagination_token": "token"},
        {"tags_per_page": 150},
        {"tags_per_page": 600},
        {"resources_per_page": 101},
        {"exclude_compliant_resources": True},
        {"pagination_token": "made up"},
    ],
)
def test_requests_that_contradict_themselves_are_refused(context: Context, asked_for: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        tagging.get_resources(context, **asked_for)


def test_compliance_is_told_where_no_tag_policy_exists(context: Context) -> None:
    make(context, MODEL, "a", {"k": "v"})
    answer = tagging.get_resources(context, include_compliance_details=True)
    assert answer["resource_tag_mapping_list"][0]["compliance_details"] == {"compliance_status": True}
    answer = tagging.get_resources(context, include_compliance_details=True, exclude_compliant_resources=True)
    assert answer["resource_tag_mapping_list"] == []
