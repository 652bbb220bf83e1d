from typing import Any

import pytest

from headrace.server.errors import AlreadyExists, Denied, InUse, InvalidInput, NotFound
from headrace.server.operations.storage.names import check_bucket_name
from headrace.server.security.credentials import root

OTHER = root("222222222222")


@pytest.mark.parametrize("name", ["abc", "a1.b-2", "1" * 63, "a.b.c", "my-bucket.example"])
def test_names_that_are_allowed(name: str) -> None:
    check_bucket_name(name)


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 64, "Abc", "a_b", "-ab", "ab-", "a..b", "a.-b", "a-.b", ".ab", "10.0.0.1", "xn--abc", "abc-s3alias",
     "abc--x-s3", "a/b", "../etc", "a\0b", "äbc", ""],
)  # fmt: skip
def test_names_that_are_not(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_bucket_name(name)
    assert caught.value.code == "InvalidBucketName"


def test_a_name_is_taken_once_in_the_whole_server(either: Any) -> None:
    assert either.create_bucket(bucket="bucket")["location"] == "/bucket"
    either.region = "eu-west-1"
    constraint = {"location_constraint": "eu-west-1"}
    with pytest.raises(AlreadyExists) as caught:
        either.create_bucket(bucket="bucket", create_bucket_configuration=constraint)
    assert caught.value.code == "BucketAlreadyOwnedByYou"
    either.caller = OTHER
    with pytest.raises(AlreadyExists) as caught:
        either.create_bucket(bucket="bucket", create_bucket_configuration=constraint)
    assert caught.value.code == "BucketAlreadyExists"


def test_regions(storage: Any) -> None:
    assert storage.get_bucket_location(bucket="bucket") == {}
    storage.create_bucket(bucket="west", create_bucket_configuration={"location_constraint": "us-west-2"})
    assert storage.get_bucket_location(bucket="west") == {"location_constraint": "us-west-2"}
    assert storage.head_bucket(bucket="west")["bucket_region"] == "us-west-2"
    storage.region = "eu-central-1"
    for given in ({}, {"create_bucket_configuration": {"location_constraint": "us-west-2"}}):
        with pytest.raises(InvalidInput) as caught:
            storage.create_bucket(bucket="central", **given)
        assert caught.value.code == "IllegalLocationConstraintException"


def test_only_an_empty_bucket_is_deleted(either: Any) -> None:
    either.put("key")
    with pytest.raises(InUse) as caught:
        either.delete_bucket(bucket="bucket")
    assert caught.value.code == "BucketNotEmpty"
    either.delete_object(bucket="bucket", key="key")
    either.create_multipart_upload(bucket="bucket", key="key")
    either.delete_bucket(bucket="bucket")
    with pytest.raises(NotFound):
        either.head_bucket(bucket="bucket")
    either.create_bucket(bucket="bucket")
    assert "uploads" not in either.list_multipart_uploads(bucket="bucket")


def test_listing_pages_and_filters(storage: Any) -> None:
    for name in ("alpha", "beta_x".replace("_", "-"), "beta-y"):
        storage.create_bucket(bucket=name)
    page = storage.list_buckets(max_buckets=2)
    assert [each["name"] for each in page["buckets"]] == ["alpha", "beta-x"]
    page = storage.list_buckets(max_buckets=2, continuation_token=page["continuation_token"])
    assert [each["name"] for each in page["buckets"]] == ["beta-y", "bucket"]
    assert "continuation_token" not in page
    assert [each["name"] for each in storage.list_buckets(prefix="beta")["buckets"]] == ["beta-x", "beta-y"]
    assert "buckets" in storage.list_buckets(bucket_region="us-west-1")
    storage.caller = OTHER
    assert storage.list_buckets()["buckets"] == []


def test_defaults_are_those_of_today_or_of_before(storage: Any) -> None:
    assert all(storage.get_public_access_block(bucket="bucket")["public_access_block_configuration"].values())
    rules = storage.get_bucket_ownership_controls(bucket="bucket")["ownership_controls"]["rules"]
    assert rules == [{"object_ownership": "BucketOwnerEnforced"}]
    with pytest.raises(InvalidInput) as caught:
        storage.create_bucket(bucket="public", acl="public-read")
    assert caught.value.code == "InvalidBucketAclWithObjectOwnership"
    storage.legacy = True
    storage.create_bucket(bucket="public", acl="public-read")
    with pytest.raises(NotFound):
        storage.get_public_access_block(bucket="public")
    assert storage.get_bucket_policy_status(bucket="public") == {"policy_status": {"is_public": True}}


def test_the_expected_owner_counts_everywhere(storage: Any) -> None:
    for operation in ("head_bucket", "get_bucket_acl", "list_objects_v2", "get_bucket_location", "delete_bucket"):
        with pytest.raises(Denied):
            getattr(storage, operation)(bucket="bucket", expected_bucket_owner="000000000000")
