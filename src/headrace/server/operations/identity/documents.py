"""Policy documents as IAM takes and gives them."""

from __future__ import annotations

import re
from urllib.parse import quote

from sqlalchemy import select

from headrace.server.context import Context
from headrace.server.security.policy import LIMITS, PolicyError, parse_policy
from headrace.server.stores.metadata.tables.resources import RESOURCES


def encoded(document: str) -> str:
    """Return a document percent-encoded as RFC 3986 asks, the way IAM's answers carry it."""
    return quote(document, safe="")


def check_trust_policy(context: Context, document: str) -> None:
    """Raise PolicyError unless a document says who may assume a role, and the users and roles that it names exist."""
    policy = parse_policy(document, "trust", limit=LIMITS["trust"])
    account = re.escape(context.place.account)
    own = re.compile(rf"arn:[\w-]+:iam::{account}:(?:user|role)/\S+")
    for statement in policy.statements:
        named = statement.document.get("Principal", statement.document.get("NotPrincipal", {})).get("AWS", [])
        for arn in filter(own.fullmatch, named):
            if context.connection.execute(select(RESOURCES.c.id).where(RESOURCES.c.arn == arn)).first() is None:
                raise PolicyError(f'Invalid principal in policy: "AWS":"{arn}"')
