"""What a policy of each kind may hold, checked in AWS's order with AWS's sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from headrace.server.security.policy.conditions import Operator
from headrace.server.security.policy.grammar import PolicyError
from headrace.server.security.policy.operators import date
from headrace.server.security.policy.patterns import Patterns

Statements = Sequence[Mapping[str, Any]]

_PARTITION = re.compile(r"aws(-[a-z]+)*|\*")
_VENDOR = re.compile(r"[a-zA-Z0-9.-]+|\*")
_SID = re.compile(r"[0-9A-Za-z]*")
_IAM_PATHS = (
    "user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/",
    "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
)  # fmt: skip
_TRUST_ACTIONS = (
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
)
_PRINCIPAL = re.compile(
    r"\*|\d{12}|arn:aws(-[a-z]+)*:(iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)"
    r"|sts::\d{12}:(assumed-role/[\w+=,.@-]+/[\w+=,.@-]+|federated-user/[\w+=,.@-]+))|A(IDA|ROA|KIA|SIA)[A-Z0-9]{12,}"
)
_OTHER_PRINCIPALS = {
    "Service": re.compile(r"\*|[a-zA-Z0-9.-]+\.[a-z.]+"),
    "Federated": re.compile(r"\*|arn:aws(-[a-z]+)*:iam::\d{12}:(saml-provider|oidc-provider)/.+|[a-zA-Z0-9.-]+"),
    "CanonicalUser": re.compile(r"[0-9a-zA-Z]+"),
}


def check(document: Mapping[str, Any], kind: str) -> None:
    """Raise PolicyError when a grammatical document is not a policy of that kind."""
    statements: Statements = document["Statement"]
    if kind in ("identity", "boundary") and document.get("Version") != "2012-10-17":
        _refuse("Policy document must be version 2012-10-17 or greater.")
    for rule in _RULES[kind]:
        rule(statements)


def _refuse(message: str) -> NoReturn:
    raise PolicyError(message)


def _legacy(statements: Statements) -> None:
    for number, statement in enumerate(statements, 1):
        if statement["Effect"] not in ("Allow", "Deny"):
            _refuse(f"The policy failed legacy parsing. The Effect of statement {number} must be Allow or Deny.")
        for text, keys in statement["Condition"].items():
            operator = Operator.read(text)
            dated = operator is not None and operator.name.startswith("Date")
            wrong = next((value for values in keys.values() for value in values if dated and date(value) is None), None)
            if wrong is not None:
                _refuse(f"The policy failed legacy parsing. {wrong!r} in statement {number} is no date.")
        for resource in _either(statement, "Resource"):
            parts = resource.split(":")
            short = 3 < len(parts) < 6 and "*" not in parts[-1]
            whole = not short and (len(parts) < 3 or parts[2])
            if parts[0] == "arn" and len(parts) > 2 and _PARTITION.fullmatch(parts[1]) and not whole:
                _refuse(f"The policy failed legacy parsing. The resource {resource} is no whole ARN.")


def _unique_sids(statements: Statements) -> None:
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(set(sids)) < len(sids):
        _refuse("Statement IDs (SID) in a single policy must be unique.")


def _plain_sids(statements: Statements) -> None:
    if not all(_SID.fullmatch(statement.get("Sid", "")) for statement in statements):
        _refuse(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression"
            " [0-9A-Za-z]*"
        )


def _actions(statements: Statements) -> None:
    if not all(_either(statement, "Action") for statement in statements):
        _refuse("Policy statement must contain actions.")


def _resource_formats(statements: Statements) -> None:
    for statement in statements:
        for resource in _either(statement, "Resource"):
            if resource != "*":
                _resource_format(resource)


def _resource_format(resource: str) -> None:
    prefix, colon, rest = resource.partition(":")
    if not colon:
        _refuse(f'Resource {resource} must be in ARN format or "*".')
    partition, *parts = rest.split(":", 4)
    if prefix != "arn" or not _PARTITION.fullmatch(partition):
        whole = ":".join((partition, *parts, *["*"] * (4 - len(parts))))
        _refuse(f'Partition "{partition}" is not valid for resource "arn:{whole}".')
    if not parts or "*" in parts[0] or "?" in parts[0]:
        if parts and parts[0] == "*":
            return
        _refuse("Resource vendor must be fully qualified and cannot contain regexes.")
    vendor, region, _account, path = [*parts, "", "", ""][:4]
    if vendor == "iam" and region not in ("", "*"):
        _refuse(f"IAM resource {resource} cannot contain region information.")
    if vendor == "s3" and region not in ("", "*") and not path.startswith(("accesspoint/", "job/", "storage-lens")):
        _refuse(f"Resource {resource} can not contain region information.")
    if vendor == "iam" and len(parts) == 4 and not _iam_path(path):
        _refuse(f'IAM resource path must either be "*" or start with {", ".join(_IAM_PATHS)}.')


def _iam_path(path: str) -> bool:
    stem = re.split(r"[*?$]", path, maxsplit=1)[0]
    beginning = stem != path and any(known.startswith(stem) for known in _IAM_PATHS)
    return path == "root" or path.startswith(_IAM_PATHS) or beginning


def _action_formats(statements: Statements) -> None:
    for statement in statements:
        for action in _either(statement, "Action"):
            vendor, colon, rest = action.partition(":")
            if not colon and action != "*":
                _refuse("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
            if ":" in rest:
                _refuse("Actions/Condition can contain only one colon.")
            if not _VENDOR.fullmatch(vendor):
                _refuse(f"Vendor {vendor} is not valid")


def _resources(statements: Statements) -> None:
    if not all(_either(statement, "Resource") for statement in statements):
        _refuse("Policy statement must contain resources.")


def _no_principals(statements: Statements) -> None:
    if any("Principal" in statement or "NotPrincipal" in statement for statement in statements):
        _refuse("Policy document should not specify a principal.")


def _principals(statements: Statements) -> None:
    for statement in statements:
        element = statement.get("Principal", statement.get("NotPrincipal"))
        if element is None:
            _refuse("Missing required field Principal")
        for kind, names in element.items():
            pattern = _OTHER_PRINCIPALS.get(kind, _PRINCIPAL)
            wrong = next((name for name in names if not pattern.fullmatch(name)), None)
            if wrong is not None or not names:
                _refuse(f'Invalid principal in policy: "{kind}":"{wrong or ""}"')


def _no_resources(statements: Statements) -> None:
    for name in ("Resource", "NotResource"):
        if any(name in statement for statement in statements):
            _refuse(f"Has prohibited field {name}")


def _trust_actions(statements: Statements) -> None:
    for statement in statements:
        for action in _either(statement, "Action"):
            pattern = Patterns((action,), fold=True)
            if action == "*" or not any(pattern.match(each, {}) for each in _TRUST_ACTIONS):
                _refuse("AssumeRole policy may only specify STS AssumeRole actions.")


def _either(statement: Mapping[str, Any], name: str) -> Sequence[str]:
    found: Sequence[str] = statement.get(name, statement.get(f"Not{name}", ()))
    return found


Rule = Callable[[Statements], None]
_FIRST: tuple[Rule, ...] = (_legacy, _unique_sids, _actions)
_IDENTITY: tuple[Rule, ...] = (*_FIRST, _resources, _resource_formats, _action_formats, _plain_sids, _no_principals)
_RULES: Mapping[str, tuple[Rule, ...]] = {
    "identity": _IDENTITY,
    "boundary": _IDENTITY,
    "session": _IDENTITY,
    "resource": (*_FIRST, _resources, _resource_formats, _action_formats, _principals),
    "trust": (*_FIRST, _no_resources, _plain_sids, _principals, _action_formats, _trust_actions),
}
