"""Configurations of buckets that are checked, stored and answered: versioning, website, logging and their like."""

from __future__ import annotations

from typing import Any

from headrace.server.context import Context
from headrace.server.errors import Conflict, InvalidInput, NotFound
from headrace.server.operations.storage.buckets import configure, find_bucket
from headrace.server.operations.storage.refusals import (
    invalid_argument,
    malformed_xml,
    no_such_configuration,
)


def put_bucket_versioning(
    context: Context,
    *,
    bucket: str,
    versioning_configuration: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Enable or suspend versioning; once enabled it is never off again."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    status = versioning_configuration.get("status")
    if not status:
        raise malformed_xml()
    if status == "Suspended" and found.record.get("object_lock"):
        raise Conflict(
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            code="InvalidBucketState",
        )
    if versioning_configuration.get("mfa_delete") == "Enabled":
        raise invalid_argument("MFA delete is not built; leave MfaDelete out", "MfaDelete", "Enabled")
    configure(context, found, versioning=status)


def get_bucket_versioning(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    """Return the versioning state, nothing for a bucket that never had it."""
    status = find_bucket(context, bucket, expected_bucket_owner).versioning
    return {"status": status} if status else {}


def put_bucket_request_payment(
    context: Context,
    *,
    bucket: str,
    request_payment_configuration: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Say who pays for requests."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    configure(context, found, payer=request_payment_configuration["payer"])


def get_bucket_request_payment(
    context: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Return who pays for requests."""
    return {"payer": find_bucket(context, bucket, expected_bucket_owner).record.get("payer", "BucketOwner")}


def put_bucket_accelerate_configuration(
    context: Context,
    *,
    bucket: str,
    accelerate_configuration: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Keep whether transfers are accelerated; names with dots can't be."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    if not accelerate_configuration.get("status"):
        raise malformed_xml()
    if "." in bucket:
        raise InvalidInput(
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names",
            code="InvalidRequest",
        )
    configure(context, found, acceleration=accelerate_configuration["status"])


def get_bucket_accelerate_configuration(
    context: Context, *, bucket: str, expected_bucket_owner: str | None = None, **_: Any
) -> dict[str, Any]:
    """Return whether transfers are accelerated."""
    status = find_bucket(context, bucket, expected_bucket_owner).record.get("acceleration")
    return {"status": status} if status else {}


def put_bucket_website(
    context: Context,
    *,
    bucket: str,
    website_configuration: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Keep a website configuration."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    redirect, index = (website_configuration.get(name) for name in ("redirect_all_requests_to", "index_document"))
    if redirect and len(website_configuration) > 1:
        raise invalid_argument("RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.")
    if not redirect:
        if not index:
            raise invalid_argument(
                "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"
            )
        if not index["suffix"] or "/" in index["suffix"]:
            raise invalid_argument("The IndexDocument Suffix is not well formed")
    configure(context, found, website=website_configuration)


def get_bucket_website(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    """Return the website configuration."""
    website = find_bucket(context, bucket, expected_bucket_owner).record.get("website")
    if not website:
        raise no_such_configuration(
            "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", bucket
        )
    return dict(website)


def delete_bucket_website(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> None:
    """Remove the website configuration."""
    configure(context, find_bucket(context, bucket, expected_bucket_owner), website=None)


def put_bucket_logging(
    context: Context,
    *,
    bucket: str,
    bucket_logging_status: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Set where access logs of a bucket go; an empty status turns them off."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    logging = bucket_logging_status.get("logging_enabled")
    if logging:
        if (logging.get("target_object_key_format") or {}).keys() >= {"simple_prefix", "partitioned_prefix"}:
            raise malformed_xml()
        try:
            target = find_bucket(context, logging["target_bucket"])
        except NotFound:
            target = None
        if target is None or (target.account, target.region) != (found.account, found.region):
            raise InvalidInput(
                "The target bucket for logging does not exist, is not owned by you, or does not have the appropriate "
                "grants for the log-delivery group.",
                code="InvalidTargetBucketForLogging",
                details={"TargetBucket": logging["target_bucket"]},
            )
        if logging.get("target_grants") and target.enforced:
            raise InvalidInput(
                "Target grants not supported for buckets with bucket owner enforced", code="InvalidArgument"
            )
    configure(context, found, logging=logging or None)


def get_bucket_logging(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    """Return where access logs go, nothing where they are off."""
    logging = find_bucket(context, bucket, expected_bucket_owner).record.get("logging")
    return {"logging_enabled": logging} if logging else {}


def put_bucket_notification_configuration(
    context: Context,
    *,
    bucket: str,
    notification_configuration: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Keep which events would be notified; topics, queues and functions are not there, so none can be named."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    named = ("topic_configurations", "queue_configurations", "lambda_function_configurations")
    if any(notification_configuration.get(each) for each in named):
        raise invalid_argument("Unable to validate the following destination configurations")
    configure(context, found, notification=notification_configuration or None)


def get_bucket_notification_configuration(
    context: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Return the notification configuration."""
    return dict(find_bucket(context, bucket, expected_bucket_owner).record.get("notification") or {})


def put_bucket_replication(
    context: Context,
    *,
    bucket: str,
    replication_configuration: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Keep a replication configuration; both buckets must be versioned."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    if found.versioning != "Enabled":
        raise InvalidInput(
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration", code="InvalidRequest"
        )
    for rule in replication_configuration.get("rules") or []:
        name = rule["destination"]["bucket"].rsplit(":", 1)[-1]
        try:
            target = find_bucket(context, name)
        except NotFound:
            raise InvalidInput("Destination bucket must exist.", code="InvalidRequest") from None
        if target.versioning != "Enabled":
            raise InvalidInput("Destination bucket must have versioning enabled.", code="InvalidRequest")
    configure(context, found, replication=replication_configuration)


def get_bucket_replication(
    context: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Return the replication configuration."""
    replication = find_bucket(context, bucket, expected_bucket_owner).record.get("replication")
    if not replication:
        raise no_such_configuration(
            "ReplicationConfigurationNotFoundError", "The replication configuration was not found", bucket
        )
    return {"replication_configuration": replication}


def delete_bucket_replication(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> None:
    """Remove the replication configuration."""
    configure(context, find_bucket(context, bucket, expected_bucket_owner), replication=None)
