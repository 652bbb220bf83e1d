"""What bears on a caller's requests: its policies and tags, and the ARNs of what requests name by a plain name."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select

from headrace.server.operations.identity.grants import BOUNDARY, INLINE
from headrace.server.operations.identity.managed import aws_policies, aws_policy, default_document
from headrace.server.resources import Place, tags_of
from headrace.server.security.credentials import Caller
from headrace.server.security.policy import Attached, Policy, PolicySet, parse_policy
from headrace.server.stores.metadata.tables.identity import (
    IDENTITY_POLICIES,
    MEMBERSHIPS,
    POLICY_VERSIONS,
    UNIQUE_IDS,
)
from headrace.server.stores.metadata.tables.resources import RESOURCES

_POLICIES, _VERSIONS = IDENTITY_POLICIES.c, POLICY_VERSIONS.c
_OWNER_TYPES = {"AIDA": "user", "AROA": "role", "AGPA": "group"}

_HELD = (
    select(
        _POLICIES.owner,
        _POLICIES.kind,
        _POLICIES.name,
        func.coalesce(_POLICIES.document, _VERSIONS.document).label("document"),
    )
    .join(POLICY_VERSIONS, and_(_VERSIONS.policy == _POLICIES.name, _VERSIONS.preferred), isouter=True)
    .where(
        or_(
            _POLICIES.owner == bindparam("id"),
            _POLICIES.owner.in_(select(MEMBERSHIPS.c.container).where(MEMBERSHIPS.c.member == bindparam("id"))),
        )
    )
    .order_by(_POLICIES.owner, _POLICIES.kind, _POLICIES.name)
)
_UNIQUE_ID = (
    select(UNIQUE_IDS.c.id)
    .join(RESOURCES, RESOURCES.c.arn == UNIQUE_IDS.c.arn)
    .where(UNIQUE_IDS.c.arn == bindparam("arn"), RESOURCES.c.created <= bindparam("issued"))
)
_BOUNDARY = (
    select(_POLICIES.name)
    .join(UNIQUE_IDS, UNIQUE_IDS.c.id == _POLICIES.owner)
    .where(UNIQUE_IDS.c.arn == bindparam("arn"), _POLICIES.kind == BOUNDARY)
)

_WITHOUT_MFA = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "Action": ["iam:*", "sts:GetSessionToken", "sts:GetFederationToken", "sts:DecodeAuthorizationMessage"],
            "Resource": "*",
        },
    }
)
_FEDERATED = _WITHOUT_MFA.replace('"sts:Get', '"sts:AssumeRole", "sts:Get', 1)
"""What sessions of GetSessionToken without MFA, and of GetFederationToken, may not do (AWS: Compare STS operations)."""


def policies_of(connection: Connection, caller: Caller) -> PolicySet:
    """Return every policy of a caller: its own, its groups', its boundary, its session's; one query (two if federated).

    The resource's policy is the asker's affair. A root user and anonymous callers have none.
    """
    if caller.kind not in ("IAMUser", "AssumedRole", "FederatedUser"):
        return PolicySet()
    session = tuple(parse_policy(text, "session") for text in caller.session_policies) or None
    if caller.kind == "FederatedUser":
        limits = (Attached(parse_policy(_FEDERATED), "FederatedUser"),)
        if caller.principal.endswith(":root"):
            everything = Attached(parse_policy(aws_policies()["/AdministratorAccess"].document), "root")
            return PolicySet(identity=(everything, *limits), session=session or ())
        user = {"arn": caller.principal, "issued": caller.session_issued}
        unique_id = connection.execute(_UNIQUE_ID, user).scalar() or ""
        identity, boundary = policies_held(connection, unique_id)
        return PolicySet(identity=(*identity, *limits), boundary=boundary, session=session or ())
    identity, boundary = policies_held(connection, caller.user_id.partition(":")[0])
    if caller.kind == "IAMUser" and caller.session_issued and not caller.mfa_present:
        identity = (*identity, Attached(parse_policy(_WITHOUT_MFA), "GetSessionToken"))
    return PolicySet(identity=identity, boundary=boundary, session=session)


def policies_held(connection: Connection, unique_id: str) -> tuple[tuple[Attached, ...], Policy | None]:
    """Return the identity policies (with those of groups) and the boundary of a user, group or role; one query."""
    identity: list[Attached] = []
    boundary = None
    for row in connection.execute(_HELD, {"id": unique_id}):
        document = row.document if row.document is not None else default_document(connection, row.name)
        if document is None:
            continue
        if row.kind != BOUNDARY:
            identity.append(_attached(row, document))
        elif row.owner == unique_id:
            boundary = parse_policy(document, "boundary")
    return tuple(identity), boundary


def boundary_of(connection: Connection, arn: str) -> str | None:
    """Return the ARN of the permissions boundary of the user or role of an ARN, or None."""
    return connection.execute(_BOUNDARY, {"arn": arn}).scalar()


def _attached(row: Any, document: str) -> Attached:
    if row.kind == INLINE:
        return Attached(parse_policy(document), row.name, _OWNER_TYPES[row.owner[:4]])
    return Attached(
        parse_policy(document), row.name.rpartition("/")[2], "aws-managed" if aws_policy(row.name) else "user-managed"
    )


def principal_tags(connection: Connection, caller: Caller) -> dict[str, str]:
    """Return the tags of the user or role behind a caller; those of the session are the caller's own."""
    if caller.kind not in ("IAMUser", "AssumedRole"):
        return {}
    return tags_of(connection, caller.principal)


def resolve(connection: Connection, place: Place, kind: str, name: str) -> str | None:
    """Return the ARN of the resource of a kind ("iam/role") that has a name, with its path, or None."""
    columns = RESOURCES.c
    chosen = select(columns.arn).where(
        columns.kind == kind,
        columns.account == place.account,
        columns.region.in_(("", place.region)),
        columns.name == name,
    )
    return connection.execute(chosen).scalars().first()
