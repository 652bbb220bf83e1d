"""The account as a whole: its alias, and how many of everything it has and may have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, NotFound
from headrace.server.operations.identity import access_keys, attachments, groups, mfa
from headrace.server.operations.identity.entities import (
    GROUP,
    INSTANCE_PROFILE,
    MFA_DEVICE,
    POLICY,
    QUOTAS,
    ROLE,
    USER,
    count,
)
from headrace.server.operations.identity.policy_versions import MOST_VERSIONS
from headrace.server.resources import Resource, Stored
from headrace.server.security import credentials
from headrace.server.security.policy import LIMITS
from headrace.server.stores.metadata.tables.identity import MEMBERSHIPS, POLICY_VERSIONS

ALIAS = Resource("iam/account-alias", "account alias", "arn:{partition}:iam::{account}:alias/{name}", regional=False)
_COUNTED = (USER, GROUP, ROLE, INSTANCE_PROFILE, POLICY, MFA_DEVICE)


def create_account_alias(context: Context, *, account_alias: str) -> None:
    """Give the account an alias in place of the one it has. AWS page: CreateAccountAlias."""
    held = _alias(context)
    if held is not None and held.name == account_alias:
        raise AlreadyExists(f"The account alias {account_alias} already exists.")
    if held is not None:
        resources.remove(context.connection, held)
    resources.create(context.connection, ALIAS, context.place, account_alias, {}, now=context.now)


def list_account_aliases(
    context: Context, *, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """Return the account's alias, if it has one. AWS page: ListAccountAliases."""
    held = _alias(context)
    return {"account_aliases": [held.name] if held else [], "is_truncated": False}


def delete_account_alias(context: Context, *, account_alias: str) -> None:
    """Take the account's alias away. AWS page: DeleteAccountAlias."""
    held = _alias(context)
    if held is None or held.name != account_alias:
        raise NotFound(f"The account alias {account_alias} cannot be found.")
    resources.remove(context.connection, held)


def get_account_summary(context: Context) -> dict[str, Any]:
    """Count what the account has, beside its quotas. AWS page: GetAccountSummary."""
    numbers: dict[str, int] = {}
    for resource in _COUNTED:
        word, most = QUOTAS[resource.kind]
        numbers[word] = count(context, resource)
        if resource is not MFA_DEVICE:
            numbers[f"{word}Quota"] = most
    in_use = select(func.count()).where(MEMBERSHIPS.c.container.startswith("AMFA"))
    versions = select(func.count()).select_from(POLICY_VERSIONS)
    root_keys = credentials.access_keys_of(context.connection, context.place.account)
    return {
        "summary_map": numbers
        | {
            "AccessKeysPerUserQuota": access_keys.KEYS_PER_USER,
            "AccountAccessKeysPresent": int(any(key.active for key in root_keys)),
            "AccountMFAEnabled": 0,
            "AccountPasswordPresent": 0,
            "AccountSigningCertificatesPresent": 0,
            "AssumeRolePolicySizeQuota": LIMITS["trust"],
            "AttachedPoliciesPerGroupQuota": attachments.POLICIES_PER_ENTITY,
            "AttachedPoliciesPerRoleQuota": attachments.POLICIES_PER_ENTITY,
            "AttachedPoliciesPerUserQuota": attachments.POLICIES_PER_ENTITY,
            "GlobalEndpointTokenVersion": 2,
            "GroupPolicySizeQuota": LIMITS["group"],
            "GroupsPerUserQuota": groups.GROUPS_PER_USER,
            "MFADevicesInUse": context.connection.execute(in_use).scalar_one(),
            "MFADevicesPerUserQuota": mfa.DEVICES_PER_USER,
            "PolicySizeQuota": LIMITS["managed"],
            "PolicyVersionsInUse": context.connection.execute(versions).scalar_one(),
            "PolicyVersionsInUseQuota": 10_000,
            "Providers": 0,
            "RolePolicySizeQuota": LIMITS["role"],
            "ServerCertificates": 0,
            "ServerCertificatesQuota": 20,
            "SigningCertificatesPerUserQuota": 2,
            "UserPolicySizeQuota": LIMITS["user"],
            "VersionsPerPolicyQuota": MOST_VERSIONS,
        }
    }


def _alias(context: Context) -> Stored | None:
    return next(iter(resources.listing(context.connection, ALIAS, context.place, limit=1).items), None)
