"""The bucket that a trail delivers to: whether its policy lets CloudTrail write, and writing into it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import Connection

from headrace.server.context import Context, Platform
from headrace.server.errors import Denied, InvalidInput, NotFound
from headrace.server.operations.storage.objects import put_object
from headrace.server.resources import Place, Stored, by_arn
from headrace.server.security.credentials import Caller
from headrace.server.security.policy import PolicySet, Principal, Question, evaluate, parse_policy
from headrace.server.stores.objects import Staged

CLOUDTRAIL = "cloudtrail.amazonaws.com"
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LONGEST_PREFIX = 200


def check_bucket(context: Context, trail: Stored) -> None:
    """Check that CloudTrail may write a trail's files; source: AWS, "Amazon S3 bucket policy for CloudTrail".

    Raises NotFound (S3BucketDoesNotExistException), Denied (InsufficientS3BucketPolicyException) or InvalidInput.
    """
    bucket, prefix = trail.record["s3_bucket_name"], trail.record.get("s3_key_prefix", "")
    if not BUCKET_NAME.fullmatch(bucket):
        raise InvalidInput(f"{bucket!r} is not the name of a bucket", code="InvalidS3BucketNameException")
    if len(prefix) > LONGEST_PREFIX or prefix.startswith("/"):
        raise InvalidInput(
            f"the key prefix {prefix[:220]!r} is not allowed; use up to {LONGEST_PREFIX} characters, no slash first",
            code="InvalidS3PrefixException",
        )
    found = by_arn(context.connection, _bucket_arn(context.place, bucket))
    if found is None:
        raise NotFound(
            f"the bucket {bucket} does not exist; create it first", code="S3BucketDoesNotExistException", status=400
        )
    key = folder(prefix, trail.account, "CloudTrail")
    for action, resource in (("s3:GetBucketAcl", found.arn), ("s3:PutObject", f"{found.arn}/{key}/x")):
        if not _allows(found, trail, action, resource):
            raise Denied(
                f"the policy of bucket {bucket} does not let {CLOUDTRAIL} do {action} on {resource}; let it",
                code="InsufficientS3BucketPolicyException", status=403,
            )  # fmt: skip


def folder(prefix: str, account: str, kind: str) -> str:
    """Return where files of a kind ("CloudTrail", "CloudTrail-Digest") lie, without region and date."""
    return f"{prefix}/AWSLogs/{account}/{kind}" if prefix else f"AWSLogs/{account}/{kind}"


def stage(platform: Platform, body: bytes) -> Staged:
    """Make the bytes of a file durable, not visible yet."""
    staging = platform.objects.stage()
    try:
        staging.write(body)
        return staging.finish()
    except BaseException:
        staging.abort()
        raise


def put_log_file(
    platform: Platform,
    connection: Connection,
    trail: Stored,
    key: str,
    staged: Staged,
    now: int,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Let a staged file appear in a trail's bucket when the transaction commits.

    Raises NotFound (NoSuchBucket), Denied (AccessDenied) when the bucket's policy no longer lets CloudTrail write.
    """
    bucket = trail.record["s3_bucket_name"]
    place = Place(trail.account, trail.region, platform.partition)
    found = by_arn(connection, _bucket_arn(place, bucket))
    if found is None:
        raise NotFound(f"the bucket {bucket} does not exist", code="NoSuchBucket")
    if not _allows(found, trail, "s3:PutObject", f"{found.arn}/{key}"):
        raise Denied(f"the policy of the bucket {bucket} does not let {CLOUDTRAIL} write {key}", code="AccessDenied")
    context = Context(
        platform=platform,
        connection=connection,
        caller=_caller(found.account),
        place=Place(found.account, found.record.get("region", trail.region), platform.partition),
        now=now,
        request_id="",
        authorise=lambda *_: None,
    )
    put_object(
        context, bucket=bucket, key=key, body=staged, content_type="application/json", content_encoding="gzip",
        metadata=dict(metadata or {}),
    )  # fmt: skip


def _allows(bucket: Stored, trail: Stored, action: str, resource: str) -> bool:
    if not bucket.policy:
        return False
    conditions = {
        "aws:SourceArn": (trail.arn,),
        "aws:SourceAccount": (trail.account,),
        "s3:x-amz-acl": ("bucket-owner-full-control",),
        "aws:SecureTransport": ("true",),
    }
    question = Question(
        action, resource, Principal.of(_caller(trail.account)), conditions, resource_account=bucket.account
    )
    return evaluate(question, PolicySet(resource=parse_policy(bucket.policy, "resource"))).allowed


def _caller(account: str) -> Caller:
    return Caller("AWSService", account, "", CLOUDTRAIL, CLOUDTRAIL, CLOUDTRAIL)


def _bucket_arn(place: Place, bucket: str) -> str:
    return f"arn:{place.partition}:s3:::{bucket}"
