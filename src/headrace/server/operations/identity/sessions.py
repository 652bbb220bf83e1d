"""Temporary credentials: a role's, a user's own, a federated user's."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import Denied, InvalidInput, LimitExceeded, OperationError
from headrace.server.operations.identity import mfa
from headrace.server.operations.identity.entities import ROLE, tag_map
from headrace.server.operations.identity.managed import default_document
from headrace.server.operations.identity.session_tags import SessionTags, session_tags
from headrace.server.resources import Stored, by_arn
from headrace.server.security.credentials import Caller, Session, issue_session
from headrace.server.security.policy import LIMITS, parse_policy, policy_size

HOUR = 3600
ROOT_LONGEST = HOUR
DEFAULT_DURATION = 12 * HOUR
_PACKED_QUOTA = 4096


def assume_role(
    context: Context,
    *,
    role_arn: str,
    role_session_name: str,
    policy_arns: list[dict[str, str]] | None = None,
    policy: str | None = None,
    duration_seconds: int = HOUR,
    tags: list[dict[str, str]] | None = None,
    transitive_tag_keys: list[str] | None = None,
    external_id: str | None = None,
    serial_number: str | None = None,
    token_code: str | None = None,
    source_identity: str | None = None,
    provided_contexts: list[dict[str, str]] | None = None,
    minimum_session_token_size: int | None = None,
) -> dict[str, Any]:
    """Return credentials of a role's session, to whom its trust policy allows it. AWS page: AssumeRole.

    The guard has asked the trust policy already, with external id, tags, MFA and source identity as its context; what
    goes on from the calling session is asked here.
    """
    caller = context.caller
    role = by_arn(context.connection, role_arn)
    if role is None or role.kind != ROLE.kind:
        raise _not_authorised(caller, "sts:AssumeRole", role_arn)
    if caller.kind == "Root":
        raise Denied("Roles may not be assumed by root accounts.", code="AccessDenied")
    if provided_contexts:
        raise invalid(
            "ProvidedContexts are not supported: this server has no trusted context providers; leave them out"
        )
    _check_duration(context, role, duration_seconds)
    if serial_number or token_code:
        mfa.present(context, serial_number or "", token_code or "")
    given = session_tags(caller, tags, transitive_tag_keys)
    if given.tags and not tags:
        context.authorise("sts:TagSession", role_arn)
    _check_source_identity(context, role_arn, source_identity)
    policies = _session_policies(context, policy, policy_arns)
    assumed = Caller(
        kind="AssumedRole",
        account=role.account,
        arn=f"arn:{context.place.partition}:sts::{role.account}:assumed-role/{role.name}/{role_session_name}",
        user_id=f"{role.record['id']}:{role_session_name}",
        principal=role.arn,
        name=role_session_name,
        session_policies=policies,
        session_tags=given.tags,
        transitive_tag_keys=given.transitive,
        source_identity=caller.source_identity or source_identity or "",
    )
    session = _issue(context, assumed, duration_seconds)
    return {
        "credentials": credentials_answer(session),
        "assumed_role_user": {"assumed_role_id": assumed.user_id, "arn": assumed.arn},
        "packed_policy_size": _packed_size(policy, policy_arns, given),
        "source_identity": assumed.source_identity or None,
    }


def get_session_token(
    context: Context,
    *,
    duration_seconds: int = DEFAULT_DURATION,
    serial_number: str | None = None,
    token_code: str | None = None,
    minimum_session_token_size: int | None = None,
) -> dict[str, Any]:
    """Return temporary credentials of the calling user itself. AWS page: GetSessionToken."""
    _refuse_sessions(context, "GetSessionToken")
    presented = bool(serial_number or token_code)
    if presented:
        mfa.present(context, serial_number or "", token_code or "")
    caller = replace(context.caller, mfa_present=presented)
    return {"credentials": credentials_answer(_issue(context, caller, _capped(context, duration_seconds)))}


def get_federation_token(
    context: Context,
    *,
    name: str,
    policy: str | None = None,
    policy_arns: list[dict[str, str]] | None = None,
    duration_seconds: int = DEFAULT_DURATION,
    tags: list[dict[str, str]] | None = None,
    minimum_session_token_size: int | None = None,
) -> dict[str, Any]:
    """Return credentials of a federated user, limited by user and policies. AWS page: GetFederationToken."""
    _refuse_sessions(context, "GetFederationToken")
    account = context.place.account
    federated = Caller(
        kind="FederatedUser",
        account=account,
        arn=f"arn:{context.place.partition}:sts::{account}:federated-user/{name}",
        user_id=f"{account}:{name}",
        principal=context.caller.principal,
        name=name,
        session_policies=_session_policies(context, policy, policy_arns),
        session_tags=tag_map(tags),
    )
    session = _issue(context, federated, _capped(context, duration_seconds))
    return {
        "credentials": credentials_answer(session),
        "federated_user": {"federated_user_id": federated.user_id, "arn": federated.arn},
        "packed_policy_size": _packed_size(policy, policy_arns, SessionTags(tag_map(tags))),
    }


def credentials_answer(session: Session) -> dict[str, Any]:
    """Return temporary credentials as answers show them."""
    return {
        "access_key_id": session.access_key_id,
        "secret_access_key": session.secret,
        "session_token": session.token,
        "expiration": moment(session.caller.session_expires),
    }


def invalid(message: str) -> InvalidInput:
    """Return the error of a request that does not fit together."""
    return InvalidInput(message, code="ValidationError")


def _issue(context: Context, caller: Caller, seconds: int) -> Session:
    expires = context.now + seconds * 1000
    return issue_session(context.platform.keyring, caller, now=context.now, expires=expires)


def _check_duration(context: Context, role: Stored, seconds: int) -> None:
    if context.caller.kind == "AssumedRole" and seconds > HOUR:
        raise invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if seconds > role.record["max_session_duration"]:
        raise invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def _check_source_identity(context: Context, role_arn: str, source_identity: str | None) -> None:
    held = context.caller.source_identity
    if held and source_identity and source_identity != held:
        raise _not_authorised(context.caller, "sts:SetSourceIdentity", role_arn)
    if held and not source_identity:
        context.authorise("sts:SetSourceIdentity", role_arn)


def _refuse_sessions(context: Context, operation: str) -> None:
    if context.caller.session_issued or context.caller.kind not in ("IAMUser", "Root"):
        raise Denied(f"Cannot call {operation} with session credentials", code="AccessDenied")


def _capped(context: Context, seconds: int) -> int:
    return min(seconds, ROOT_LONGEST) if context.caller.kind == "Root" else seconds


def _session_policies(
    context: Context, policy: str | None, policy_arns: Sequence[dict[str, str]] | None
) -> tuple[str, ...]:
    documents = []
    if policy is not None:
        parse_policy(policy, "session")
        if policy_size(policy) > LIMITS["session"]:
            raise _too_large(round(100 * policy_size(policy) / LIMITS["session"]))
        documents.append(policy)
    for each in policy_arns or ():
        arn = each.get("arn", "")
        document = default_document(context.connection, arn)
        if document is None:
            raise invalid(f"PolicyArn {arn} does not exist or is not attachable; pass the ARN of a managed policy")
        documents.append(document)
    return tuple(documents)


def _packed_size(policy: str | None, policy_arns: Sequence[dict[str, str]] | None, tags: SessionTags) -> int | None:
    if not policy and not policy_arns and not tags.tags:
        return None
    packed = zlib.compress(json.dumps([policy, policy_arns, tags.tags, tags.transitive]).encode())
    percent = -(-100 * len(packed) // _PACKED_QUOTA)
    if percent > 100:
        raise _too_large(percent)
    return percent


def _too_large(percent: int) -> OperationError:
    return LimitExceeded(
        f"Packed size of session policies and tags consumes {percent}% of allotted space.",
        code="PackedPolicyTooLarge",
    )


def _not_authorised(caller: Caller, action: str, resource: str) -> Denied:
    return Denied(
        f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource}", code="AccessDenied"
    )
