"""Versions of managed policies: at most five, one of them in force."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, insert, select, update

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import InUse, LimitExceeded, NotFound
from headrace.server.operations.identity.documents import encoded
from headrace.server.operations.identity.entities import POLICY, change, part
from headrace.server.operations.identity.managed import AWS_POLICIES_SINCE, AwsPolicy, any_policy, own_policy
from headrace.server.security.policy import LIMITS, parse_policy
from headrace.server.stores.metadata.tables.identity import POLICY_VERSIONS

MOST_VERSIONS = 5

_COLUMNS = POLICY_VERSIONS.c


def create_policy_version(
    context: Context, *, policy_arn: str, policy_document: str, set_as_default: bool = False
) -> dict[str, Any]:
    """Add a version, and put it in force if asked; raises LimitExceeded at five. AWS page: CreatePolicyVersion."""
    stored = own_policy(context, policy_arn)
    parse_policy(policy_document, limit=LIMITS["managed"])
    existing = select(func.count()).select_from(POLICY_VERSIONS).where(_COLUMNS.policy == policy_arn)
    if context.connection.execute(existing).scalar_one() >= MOST_VERSIONS:
        raise LimitExceeded(
            f"A managed policy can have up to {MOST_VERSIONS} versions. Before you create a new version, you must "
            "delete an existing version.",
            status=409,
        )
    number = stored.record["latest"] + 1
    context.connection.execute(
        insert(POLICY_VERSIONS).values(
            policy=policy_arn, number=number, document=policy_document, preferred=False, created=context.now
        )
    )
    changed = change(context, POLICY, stored, latest=number)
    if set_as_default:
        _prefer(context, policy_arn, number)
        change(context, POLICY, changed, default=number)
    return {"policy_version": _answer(number, context.now, set_as_default)}


def get_policy_version(context: Context, *, policy_arn: str, version_id: str) -> dict[str, Any]:
    """Return one version with its document. AWS page: GetPolicyVersion."""
    for number, document, created, preferred in versions_of(context, policy_arn):
        if f"v{number}" == version_id:
            return {"policy_version": {**_answer(number, created, preferred), "document": encoded(document)}}
    raise _missing(policy_arn, version_id)


def list_policy_versions(
    context: Context, *, policy_arn: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the versions of a policy, newest first, without documents. AWS page: ListPolicyVersions."""
    found = [
        (f"{10**6 - number:07}", _answer(number, created, preferred))
        for number, _, created, preferred in versions_of(context, policy_arn)
    ]
    versions, paging = part(context, found, "list_policy_versions", marker=marker, max_items=max_items)
    return {"versions": versions, **paging}


def set_default_policy_version(context: Context, *, policy_arn: str, version_id: str) -> None:
    """Put a version in force for everyone who has the policy. AWS page: SetDefaultPolicyVersion."""
    stored = own_policy(context, policy_arn)
    number = _number(context, policy_arn, version_id)
    _prefer(context, policy_arn, number)
    change(context, POLICY, stored, default=number)


def delete_policy_version(context: Context, *, policy_arn: str, version_id: str) -> None:
    """Delete a version that is not in force; raises InUse for that one. AWS page: DeletePolicyVersion."""
    stored = own_policy(context, policy_arn)
    number = _number(context, policy_arn, version_id)
    if number == stored.record["default"]:
        raise InUse("Cannot delete the default version of a policy.")
    context.connection.execute(delete(POLICY_VERSIONS).where(_COLUMNS.policy == policy_arn, _COLUMNS.number == number))


def versions_of(context: Context, policy_arn: str) -> list[tuple[int, str, int, bool]]:
    """Return (number, document, time of creation, whether in force) of each version, newest first."""
    found = any_policy(context, policy_arn)
    if isinstance(found, AwsPolicy):
        return [(1, found.document, AWS_POLICIES_SINCE, True)]
    chosen = (
        select(_COLUMNS.number, _COLUMNS.document, _COLUMNS.created, _COLUMNS.preferred)
        .where(_COLUMNS.policy == policy_arn)
        .order_by(_COLUMNS.number.desc())
    )
    return [(row.number, row.document, row.created, row.preferred) for row in context.connection.execute(chosen)]


def _prefer(context: Context, policy_arn: str, number: int) -> None:
    context.connection.execute(
        update(POLICY_VERSIONS).where(_COLUMNS.policy == policy_arn).values(preferred=_COLUMNS.number == number)
    )


def _number(context: Context, policy_arn: str, version_id: str) -> int:
    found = next((each for each, *_ in versions_of(context, policy_arn) if f"v{each}" == version_id), None)
    if found is None:
        raise _missing(policy_arn, version_id)
    return found


def _missing(policy_arn: str, version_id: str) -> NotFound:
    return NotFound(f"Policy {policy_arn} version {version_id} does not exist or is not attachable.")


def _answer(number: int, created: int, preferred: bool) -> dict[str, Any]:
    return {"version_id": f"v{number}", "is_default_version": preferred, "create_date": moment(created)}
