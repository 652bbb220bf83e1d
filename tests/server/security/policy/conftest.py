import json
from collections.abc import Callable
from typing import Any

import pytest

from headrace.server.security.policy import Attached, Policy, PolicyKind, PolicySet, Principal, parse_policy

ACCOUNT = "123456789012"


@pytest.fixture
def user() -> Principal:
    arn = f"arn:aws:iam::{ACCOUNT}:user/team/alice"
    return Principal(
        "IAMUser", ACCOUNT, arn, "AIDAALICE000000000001", "alice", arn, ("AIDAALICE000000000001",), {"team": "red"}
    )


@pytest.fixture
def session() -> Principal:
    return Principal(
        "AssumedRole",
        ACCOUNT,
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/job",
        "AROAREADER00000000001:job",
        entity=f"arn:aws:iam::{ACCOUNT}:role/paths/Reader",
        unique_ids=("AROAREADER00000000001",),
    )


@pytest.fixture
def federated() -> Principal:
    return Principal(
        "FederatedUser",
        ACCOUNT,
        f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
        f"{ACCOUNT}:guest",
        entity=f"arn:aws:iam::{ACCOUNT}:user/team/alice",
    )


@pytest.fixture
def root() -> Principal:
    return Principal("Root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, entity=f"arn:aws:iam::{ACCOUNT}:root")


@pytest.fixture
def anonymous() -> Principal:
    return Principal("Anonymous", "", "", "ANONYMOUS_PRINCIPAL")


Make = Callable[..., Policy]


@pytest.fixture
def policy() -> Make:
    """Make a policy of statements, each with what it leaves out filled in."""

    def make(*statements: dict[str, Any], kind: PolicyKind = "identity", version: str = "2012-10-17") -> Policy:
        filled = []
        for statement in statements:
            whole = {"Effect": "Allow"} | statement
            if not {"Action", "NotAction"} & set(whole):
                whole["Action"] = "*" if kind != "trust" else "sts:AssumeRole"
            if not {"Resource", "NotResource"} & set(whole) and kind != "trust":
                whole["Resource"] = "*"
            filled.append(whole)
        return parse_policy(json.dumps({"Version": version, "Statement": filled}), kind)

    return make


@pytest.fixture
def held(policy: Make) -> Callable[..., PolicySet]:
    """Make the set of policies of an identity with these statements, and whatever else is given."""

    def make(*statements: dict[str, Any], **others: Any) -> PolicySet:
        attached = (Attached(policy(*statements), "own", "user"),) if statements else ()
        return PolicySet(identity=attached, **others)

    return make
