"""Managed policies by ARN: those of AWS, which every account has, and the account's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sqlalchemy import Connection, select

from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations.identity.entities import MISSING, POLICY
from headrace.server.resources import Stored, by_arn
from headrace.server.stores.metadata.tables.identity import POLICY_VERSIONS

AWS_POLICIES_SINCE = 1_423_180_799_000
"""When AWS's policies say they were made (milliseconds): February 2015, when AWS introduced managed policies."""


@dataclass(frozen=True)
class AwsPolicy:
    """A managed policy that AWS keeps; its one version is v1."""

    name: str
    path: str
    description: str
    document: str

    @property
    def id(self) -> str:
        """Its unique id, the same on every server."""
        digest = hashlib.sha256(f"{self.path}{self.name}".encode()).digest()
        return "ANPA" + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32] for byte in digest[:17])

    def arn(self, partition: str) -> str:
        """Its ARN in one of AWS's partitions."""
        return f"arn:{partition}:iam::aws:policy{self.path}{self.name}"


@cache
def aws_policies() -> Mapping[str, AwsPolicy]:
    """Return AWS's managed policies by path and name ("/service-role/AWSLambdaBasicExecutionRole")."""
    text = files("headrace.server.operations.identity").joinpath("aws_policies.json").read_text(encoding="utf-8")
    found = {}
    for entry in json.loads(text):
        statements = [{"Effect": "Allow", "Action": entry["allow"], "Resource": "*"}] if "allow" in entry else []
        document = {"Version": "2012-10-17", "Statement": statements + entry.get("statements", [])}
        policy = AwsPolicy(entry["name"], entry.get("path", "/"), entry["description"], json.dumps(document, indent=4))
        found[policy.path + policy.name] = policy
    return found


def aws_policy(arn: str) -> AwsPolicy | None:
    """Return AWS's policy with this ARN, or None."""
    owner, separator, name = arn.partition(":policy")
    if not separator or not owner.endswith(":iam::aws"):
        return None
    return aws_policies().get(name)


def managed_policy(context: Context, arn: str) -> AwsPolicy | Stored | None:
    """Return the managed policy with this ARN, AWS's or the account's own, or None."""
    found = aws_policy(arn)
    if found is not None:
        return found
    stored = by_arn(context.connection, arn)
    own = stored is not None and stored.kind == POLICY.kind and stored.account == context.place.account
    return stored if own else None


def any_policy(context: Context, arn: str) -> AwsPolicy | Stored:
    """Return the managed policy with this ARN; raises NotFound."""
    found = managed_policy(context, arn)
    if found is None:
        raise NotFound(MISSING[POLICY.kind].format(arn))
    return found


def own_policy(context: Context, arn: str) -> Stored:
    """Return a managed policy that the account may change; raises NotFound for AWS's too."""
    found = managed_policy(context, arn)
    if not isinstance(found, Stored):
        raise NotFound(MISSING[POLICY.kind].format(arn))
    return found


def default_document(connection: Connection, arn: str) -> str | None:
    """Return the document in force of a managed policy, or None when there is none with this ARN."""
    found = aws_policy(arn)
    if found is not None:
        return found.document
    columns = POLICY_VERSIONS.c
    chosen = select(columns.document).where(columns.policy == arn, columns.preferred)
    return connection.execute(chosen).scalar_one_or_none()
