"""Decisions in words: AWS's sentence for a refusal, and the message that DecodeAuthorizationMessage shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from headrace.server.security.policy.questions import Decision, Kind, Match, Question
from headrace.server.security.policy.statements import Statement

_KINDS: dict[Kind, str] = {
    "identity": "an identity-based policy",
    "resource": "a resource-based policy",
    "boundary": "a permissions boundary",
    "session": "a session policy",
    "service control": "a service control policy",
}


def refusal(decision: Decision, question: Question) -> str:
    """Return AWS's sentence for a denied question (AWS: Troubleshoot access denied error messages)."""
    who = question.principal.arn or "anonymous"
    sentence = f"User: {who} is not authorized to perform: {question.action}"
    if question.resource != "*":
        sentence += f" on resource: {question.resource}"
    if decision.effect == "explicitDeny":
        return f"{sentence} with an explicit deny in {_KINDS[decision.matched[0].kind]}"
    lacking = decision.lacking or "identity-based"
    kind = lacking if lacking == "permissions boundary" else f"{lacking} policy"
    return f"{sentence} because no {kind} allows the {question.action} action"


def explain(decision: Decision, question: Question) -> dict[str, Any]:
    """Return the decision as the JSON object of an authorization message (AWS: DecodeAuthorizationMessage)."""
    principal = question.principal
    who = {"id": principal.user_id, "arn": principal.arn}
    return {
        "allowed": decision.allowed,
        "explicitDeny": decision.effect == "explicitDeny",
        "matchedStatements": _items(_statement(match, question) for match in decision.matched),
        "failures": _items(()),
        "context": {
            "principal": {"id": who["id"], "name": principal.name, "arn": who["arn"]} if principal.name else who,
            "action": question.action,
            "resource": question.resource,
            "conditions": _items(
                {"key": key, "values": _items({"value": value} for value in values)}
                for key, values in question.context.items()
            ),
        },
    }


def _statement(match: Match, question: Question) -> dict[str, Any]:
    statement = match.statement
    return {
        "statementId": statement.sid,
        "effect": "ALLOW" if statement.allows else "DENY",
        "principals": _items({"value": value} for value in _principals(statement, question)),
        "principalGroups": _items(()),
        "actions": _items({"value": value} for value in _texts(statement, "Action")),
        "resources": _items({"value": value} for value in _texts(statement, "Resource")),
        "conditions": _items(
            {"key": name, "values": _items({"value": value} for value in values)}
            for keys in statement.document["Condition"].values()
            for name, values in keys.items()
        ),
    }


def _principals(statement: Statement, question: Question) -> Iterable[str]:
    element = statement.document.get("Principal", statement.document.get("NotPrincipal"))
    if element is None:
        return [question.principal.user_id.partition(":")[0]]
    return [name for names in element.values() for name in names]


def _texts(statement: Statement, name: str) -> Iterable[str]:
    found: Iterable[str] = statement.document.get(name, statement.document.get(f"Not{name}", ()))
    return found


def _items(items: Iterable[Any]) -> dict[str, list[Any]]:
    return {"items": list(items)}
