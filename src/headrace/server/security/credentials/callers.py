"""What is known of whoever signed a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Caller:
    """An authenticated principal.

    `kind` is AWS's userIdentity type: "Root", "IAMUser", "AssumedRole", "FederatedUser", "AWSService" or "Anonymous".
    `principal` is the ARN whose policies count: the user, or the role of a session; `arn` is what GetCallerIdentity
    answers. Session members are empty for long-lived keys; times are milliseconds since 1970.
    """

    kind: str
    account: str
    arn: str
    user_id: str
    principal: str
    name: str = ""
    access_key_id: str = ""
    session_policies: tuple[str, ...] = ()
    session_tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tag_keys: tuple[str, ...] = ()
    session_issued: int = 0
    session_expires: int = 0
    mfa_present: bool = False
    source_identity: str = ""


ANONYMOUS = Caller("Anonymous", "", "", "ANONYMOUS_PRINCIPAL", "")
"""Whoever sends an unsigned request (public buckets answer it)."""


@dataclass(frozen=True)
class AccessKey:
    """A key that requests are signed with, and whose it is."""

    access_key_id: str
    secret: str = field(repr=False)
    caller: Caller
    active: bool = True
