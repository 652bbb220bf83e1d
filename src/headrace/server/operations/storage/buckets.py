"""Buckets: making, finding, listing and deleting them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InUse, InvalidInput
from headrace.server.operations.storage import access_lists
from headrace.server.operations.storage.names import bucket_arn, check_bucket_name
from headrace.server.operations.storage.refusals import denied, invalid_argument, no_such_bucket
from headrace.server.resources import Resource, Stored
from headrace.server.stores.metadata.tables.objects import OBJECTS, UPLOADS
from headrace.server.stores.metadata.tables.resources import RESOURCES

BUCKET = Resource("s3/bucket", "bucket", "arn:{partition}:s3:::{name}", regional=False)

_BLOCKED = {
    "block_public_acls": True,
    "ignore_public_acls": True,
    "block_public_policy": True,
    "restrict_public_buckets": True,
}


@dataclass(frozen=True)
class Bucket:
    """A bucket: `record` holds its configurations, `versioning` is "", "Enabled" or "Suspended"."""

    name: str
    account: str
    arn: str
    region: str
    versioning: str
    ownership: str
    record: dict[str, Any]
    stored: Stored

    @property
    def enforced(self) -> bool:
        """Tell whether access lists are off, so that the bucket's owner owns every object."""
        return self.ownership == "BucketOwnerEnforced"


def find_bucket(context: Context, bucket: str, expected_bucket_owner: str | None = None) -> Bucket:
    """Return the bucket of that name; raises NoSuchBucket, AccessDenied when it is not `expected_bucket_owner`'s."""
    stored = resources.by_arn(context.connection, bucket_arn(context.place.partition, bucket))
    if stored is None:
        raise no_such_bucket(bucket)
    if expected_bucket_owner and expected_bucket_owner != stored.account:
        raise denied()
    record = stored.record
    restricted = (record.get("public_access_block") or {}).get("restrict_public_buckets")
    if restricted and record.get("policy_is_public") and stored.policy and context.caller.account != stored.account:
        raise denied()
    return Bucket(
        bucket,
        stored.account,
        stored.arn,
        record["region"],
        record.get("versioning", ""),
        record["ownership"],
        record,
        stored,
    )


def hold_bucket(context: Context, bucket: Bucket) -> None:
    """Keep a bucket from being deleted until this transaction ends (PostgreSQL; SQLite has one writer anyway)."""
    if context.connection.dialect.name == "postgresql":
        held = select(RESOURCES.c.id).where(RESOURCES.c.arn == bucket.arn).with_for_update(read=True, key_share=True)
        if context.connection.execute(held).first() is None:
            raise no_such_bucket(bucket.name)


def configure(context: Context, bucket: Bucket, **changes: Any) -> None:
    """Store configurations of a bucket by name; None removes one."""
    record = bucket.record | changes
    resources.change(
        context.connection,
        BUCKET,
        bucket.stored,
        now=context.now,
        record={name: value for name, value in record.items() if value is not None},
    )


def create_bucket(
    context: Context,
    *,
    bucket: str,
    acl: str | None = None,
    create_bucket_configuration: dict[str, Any] | None = None,
    object_lock_enabled_for_bucket: bool | None = None,
    object_ownership: str | None = None,
    bucket_namespace: str | None = None,
    **grants: str | None,
) -> dict[str, Any]:
    """Make a bucket; its name is unique in the whole server (S3 API reference, CreateBucket)."""
    if bucket_namespace not in (None, "global"):
        raise invalid_argument("Only the global namespace of buckets exists here", "x-amz-bucket-namespace")
    check_bucket_name(bucket)
    configuration = create_bucket_configuration or {}
    region = _region(context, configuration.get("location_constraint"))
    legacy = bool(getattr(context.platform.settings, "legacy_bucket_defaults", False))
    ownership = object_ownership or ("ObjectWriter" if legacy else "BucketOwnerEnforced")
    list_given = acl is not None or any(grants.values())
    if ownership == "BucketOwnerEnforced" and (any(grants.values()) or acl not in (None, "private")):
        raise InvalidInput(
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            code="InvalidBucketAclWithObjectOwnership",
        )
    record: dict[str, Any] = {"region": region, "ownership": ownership, "ownership_set": object_ownership is not None}
    record["grants"] = access_lists.grants_of(context.place.account, acl=acl, headers=grants) if list_given else None
    if not legacy:
        record["public_access_block"] = _BLOCKED
        record["ownership_set"] = True
    if object_lock_enabled_for_bucket:
        record |= {"versioning": "Enabled", "object_lock": {"object_lock_enabled": "Enabled"}}
    tags = {each["key"]: each["value"] for each in configuration.get("tags") or []}
    try:
        stored = resources.create(
            context.connection,
            BUCKET,
            context.place,
            bucket,
            {name: value for name, value in record.items() if value is not None},
            now=context.now,
            tags=tags,
        )
    except AlreadyExists:
        return _taken(context, bucket, region)
    return {"location": f"/{bucket}", "bucket_arn": stored.arn}


def head_bucket(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    """Tell that a bucket exists, and where."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    return {"bucket_region": found.region, "bucket_arn": found.arn}


def get_bucket_location(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    """Return a bucket's region, nothing for us-east-1 as in S3."""
    region = find_bucket(context, bucket, expected_bucket_owner).region
    return {} if region == "us-east-1" else {"location_constraint": region}


def delete_bucket(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> None:
    """Delete an empty bucket; uploads that were never completed are forgotten by the sweep."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    if context.connection.dialect.name == "postgresql":
        context.connection.execute(
            text("SELECT id FROM resources WHERE arn = :arn FOR UPDATE"), {"arn": found.arn}
        ).first()
    open_uploads = select(UPLOADS.c.id).where(UPLOADS.c.bucket == bucket, UPLOADS.c.state == "open").limit(1)
    if context.connection.execute(select(OBJECTS.c.id).where(OBJECTS.c.bucket == bucket).limit(1)).first():
        raise InUse(
            "The bucket you tried to delete is not empty", code="BucketNotEmpty", details={"BucketName": bucket}
        )
    if context.connection.execute(open_uploads).first():
        context.connection.execute(
            UPLOADS.update().where(UPLOADS.c.bucket == bucket, UPLOADS.c.state == "open").values(state="aborted")
        )
    resources.remove(context.connection, found.stored)


def list_buckets(
    context: Context,
    *,
    max_buckets: int | None = None,
    continuation_token: str | None = None,
    prefix: str | None = None,
    bucket_region: str | None = None,
) -> dict[str, Any]:
    """Return the buckets of the caller's account, in order of their names."""
    where = [RESOURCES.c.name.startswith(prefix, autoescape=True)] if prefix else []
    if bucket_region:
        where.append(RESOURCES.c.record.contains(f'"region": "{bucket_region}"', autoescape=True))
    position = context.position(continuation_token, of="list_buckets")
    page = resources.listing(
        context.connection,
        BUCKET,
        context.place,
        where=where,
        limit=max_buckets or 10_000,
        position=position,
    )
    buckets = [
        {"name": each.name, "creation_date": moment(each.created), "bucket_region": each.record["region"]}
        for each in page.items
    ]
    answer: dict[str, Any] = {"buckets": buckets, "owner": access_lists.owner(context.place.account)}
    token = context.token(page.position, of="list_buckets")
    if token:
        answer["continuation_token"] = token
    if prefix is not None:
        answer["prefix"] = prefix
    return answer


def _region(context: Context, constraint: str | None) -> str:
    here = context.place.region
    if constraint is None:
        if here != "us-east-1":
            raise InvalidInput(
                "The unspecified location constraint is incompatible for the region specific endpoint this request was "
                "sent to.",
                code="IllegalLocationConstraintException",
            )
        return here
    region = "eu-west-1" if constraint == "EU" else constraint
    if here not in ("us-east-1", region):
        raise InvalidInput(
            f"The {constraint} location constraint is incompatible for the region specific endpoint this request was "
            "sent to.",
            code="IllegalLocationConstraintException",
        )
    return region


def _taken(context: Context, bucket: str, region: str) -> dict[str, Any]:
    found = find_bucket(context, bucket)
    if found.account != context.place.account:
        raise AlreadyExists(
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again.",
            code="BucketAlreadyExists",
            details={"BucketName": bucket},
        )
    if found.region == region == "us-east-1":
        return {"location": f"/{bucket}", "bucket_arn": found.arn}
    raise AlreadyExists(
        "Your previous request to create the named bucket succeeded and you already own it.",
        code="BucketAlreadyOwnedByYou",
        details={"BucketName": bucket},
    )
