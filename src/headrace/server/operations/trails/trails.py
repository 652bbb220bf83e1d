"""Creates, changes, describes and deletes trails; source: AWS, "CloudTrail API Reference"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, LimitExceeded
from headrace.server.operations.trails import state
from headrace.server.operations.trails.buckets import check_bucket
from headrace.server.operations.trails.names import (
    TRAIL,
    all_trails,
    check_name,
    described,
    find_home_trail,
    find_trail,
    trails_of,
)  # fmt: skip
from headrace.server.operations.trails.selectors import is_custom

MOST_TRAILS = 5


def create_trail(
    context: Context,
    *,
    name: str,
    s3_bucket_name: str,
    s3_key_prefix: str | None = None,
    sns_topic_name: str | None = None,
    include_global_service_events: bool = True,
    is_multi_region_trail: bool = False,
    enable_log_file_validation: bool = False,
    cloud_watch_logs_log_group_arn: str | None = None,
    cloud_watch_logs_role_arn: str | None = None,
    kms_key_id: str | None = None,
    is_organization_trail: bool = False,
    tags_list: Sequence[dict[str, str]] | None = None,
    recursive_logging: bool | None = None,
) -> dict[str, Any]:
    """Create a trail that delivers to a bucket whose policy lets CloudTrail write; it does not log yet.

    Raises AlreadyExists, LimitExceeded past five trails, and what `check_bucket` raises.
    """
    check_name(name)
    _refuse_absent(sns_topic_name, kms_key_id, is_organization_trail)
    _check_log_group(cloud_watch_logs_log_group_arn, cloud_watch_logs_role_arn)
    _check_global(is_multi_region_trail, include_global_service_events)
    if len(trails_of(context)) >= MOST_TRAILS:
        raise LimitExceeded(
            f"{context.place.region} has {MOST_TRAILS} trails, as many as it may; delete one first",
            code="MaximumNumberOfTrailsExceededException",
        )
    record = _without_none(
        s3_bucket_name=s3_bucket_name,
        s3_key_prefix=s3_key_prefix,
        include_global_service_events=include_global_service_events,
        is_multi_region_trail=is_multi_region_trail,
        log_file_validation_enabled=enable_log_file_validation,
        is_organization_trail=False,
        recursive_logging=recursive_logging,
    )
    tags = {each["key"]: each.get("value", "") for each in tags_list or ()}
    stored = resources.create(
        context.connection, TRAIL, context.place, name, record, now=context.now, tags=tags
    )  # fmt: skip
    check_bucket(context, stored)
    state.begin(context.connection, stored)
    return described(stored)


def update_trail(
    context: Context,
    *,
    name: str,
    s3_bucket_name: str | None = None,
    s3_key_prefix: str | None = None,
    sns_topic_name: str | None = None,
    include_global_service_events: bool | None = None,
    is_multi_region_trail: bool | None = None,
    enable_log_file_validation: bool | None = None,
    cloud_watch_logs_log_group_arn: str | None = None,
    cloud_watch_logs_role_arn: str | None = None,
    kms_key_id: str | None = None,
    is_organization_trail: bool = False,
    recursive_logging: bool | None = None,
) -> dict[str, Any]:
    """Change what is given of a trail; raises NotFound, Conflict in another region than its home."""
    _refuse_absent(sns_topic_name, kms_key_id, is_organization_trail)
    _check_log_group(cloud_watch_logs_log_group_arn, cloud_watch_logs_role_arn)
    stored = find_home_trail(context, name)
    record = stored.record | _without_none(
        s3_bucket_name=s3_bucket_name,
        s3_key_prefix=s3_key_prefix,
        include_global_service_events=include_global_service_events,
        is_multi_region_trail=is_multi_region_trail,
        log_file_validation_enabled=enable_log_file_validation,
        recursive_logging=recursive_logging,
    )
    _check_global(record["is_multi_region_trail"], record["include_global_service_events"])
    if not record.get("s3_key_prefix"):
        record.pop("s3_key_prefix", None)
    changed = resources.change(context.connection, TRAIL, stored, now=context.now, record=record)
    check_bucket(context, changed)
    running = state.state_of(context.connection, stored.arn)
    state.cover(context.connection, running, everywhere=record["is_multi_region_trail"])
    if enable_log_file_validation and running.logging:
        state.chain(context.connection, running, stored.region, context.now)
    return described(changed)


def delete_trail(context: Context, *, name: str) -> None:
    """Delete a trail; what it saw until now is still delivered. Raises NotFound, Conflict outside its home region."""
    stored = find_home_trail(context, name)
    state.retire(context.connection, stored, context.now)
    resources.remove(context.connection, stored)


def describe_trails(
    context: Context, *, trail_name_list: Sequence[str] | None = None, include_shadow_trails: bool = True
) -> dict[str, Any]:
    """Describe the named trails, those that do not exist left out, or all that apply to this region."""
    found = trails_of(context, shadows=include_shadow_trails)
    if trail_name_list:
        found = [each for each in found if each.name in trail_name_list or each.arn in trail_name_list]
    return {"trail_list": [_details(context, each) for each in found]}


def get_trail(context: Context, *, name: str) -> dict[str, Any]:
    """Describe one trail; raises NotFound."""
    return {"trail": _details(context, find_trail(context, name))}


def list_trails(context: Context, *, next_token: str | None = None) -> dict[str, Any]:
    """List the trails of the account, those of other regions included."""
    position = context.position(next_token, of="list_trails")
    begin = int(position[0]) if position else 0
    found = all_trails(context.connection, context.place.account)
    page = [
        {"trail_arn": each.arn, "name": each.name, "home_region": each.region} for each in found[begin : begin + 100]
    ]
    more = [begin + 100] if len(found) > begin + 100 else None
    return {"trails": page, "next_token": context.token(more, of="list_trails")}


def _details(context: Context, stored: resources.Stored) -> dict[str, Any]:
    running = state.state_of(context.connection, stored.arn)
    return described(stored) | {
        "home_region": stored.region,
        "has_custom_event_selectors": is_custom(running.selectors),
        "has_insight_selectors": bool(running.selectors.get("insight_selectors")),
    }


def _check_global(everywhere: bool, include_global: bool) -> None:
    if everywhere and not include_global:
        raise InvalidInput(
            "a trail of all regions includes the events of global services; leave IncludeGlobalServiceEvents on",
            code="InvalidParameterCombinationException",
        )


def _check_log_group(group: str | None, role: str | None) -> None:
    if group or role:
        raise InvalidInput(
            f"trails do not deliver to log groups here ({group or role}); look the events up or read them from S3",
            code="InvalidCloudWatchLogsLogGroupArnException",
        )


def _refuse_absent(topic: str | None, key: str | None, organization: bool) -> None:
    if topic:
        raise InvalidInput(
            f"the SNS topic {topic!r} does not exist; leave SnsTopicName out",
            code="InsufficientSnsTopicPolicyException",
        )
    if key:
        raise InvalidInput(f"the KMS key {key!r} does not exist; leave KmsKeyId out", code="KmsKeyNotFoundException")
    if organization:
        raise InvalidInput("this account is in no organization; leave it out", code="OrganizationsNotInUseException")


def _without_none(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
