"""The policy simulator: decisions on actions and resources, as SimulatePrincipalPolicy answers them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from headrace.server.security.policy.evaluation import evaluate
from headrace.server.security.policy.questions import Decision, Match, PolicySet, Principal, Question

_DECODER = json.JSONDecoder()

Position = tuple[int, int]


def simulate(
    principal: Principal,
    policies: PolicySet,
    actions: Sequence[str],
    resources: Sequence[str] = ("*",),
    *,
    context: Mapping[str, tuple[str, ...]] | None = None,
    resource_account: str = "",
) -> list[dict[str, Any]]:
    """Return one evaluation result for each action, with one of each resource inside it.

    The results have the members of AWS's EvaluationResult in snake_case: the decision of an action is that of its first
    resource that is not allowed. AWS: SimulateCustomPolicy, SimulatePrincipalPolicy.
    """
    results = []
    for action in actions:
        decisions = [
            (resource, evaluate(Question(action, resource, principal, context or {}, resource_account), policies))
            for resource in resources
        ]
        name, worst = next(((name, each) for name, each in decisions if not each.allowed), decisions[0])
        result = {"eval_action_name": action, "eval_resource_name": name, **_result(worst, "eval_decision")}
        result["resource_specific_results"] = [
            {"eval_resource_name": name, **_result(each, "eval_resource_decision")} for name, each in decisions
        ]
        if worst.service_control_allows is not None:
            result["organizations_decision_detail"] = {"allowed_by_organizations": worst.service_control_allows}
        results.append(result)
    return results


def _result(decision: Decision, member: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        member: decision.effect,
        "matched_statements": [_matched(match) for match in decision.matched],
        "missing_context_values": list(decision.missing),
    }
    if decision.boundary_allows is not None:
        result["permissions_boundary_decision_detail"] = {"allowed_by_permissions_boundary": decision.boundary_allows}
    return result


def _matched(match: Match) -> dict[str, Any]:
    found: dict[str, Any] = {"source_policy_id": match.source, "source_policy_type": match.type}
    if match.policy is not None:
        start, end = positions(match.policy.text)[match.statement.index]
        found["start_position"] = {"line": start[0], "column": start[1]}
        found["end_position"] = {"line": end[0], "column": end[1]}
    return found


@lru_cache(256)
def positions(text: str) -> tuple[tuple[Position, Position], ...]:
    """Return where each statement of a valid document begins and ends.

    Each is (line, column) from 1, and the column is that after the brace, as AWS counts.
    """
    return tuple(
        ((line, column + 1), _position(text, end))
        for begin, end in _spans(text)
        for line, column in [_position(text, begin)]
    )


def _position(text: str, index: int) -> Position:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each statement's text begins and ends."""
    index = _skip(text, text.index("{") + 1)
    while text[index] != "}":
        key, index = _DECODER.raw_decode(text, index)
        index = _skip(text, index)
        if key == "Statement" and text[index] == "[":
            index = _skip(text, index + 1)
            while text[index] != "]":
                _, end = _DECODER.raw_decode(text, index)
                yield index, end
                index = _skip(text, end)
            index = _skip(text, index + 1)
            continue
        _, end = _DECODER.raw_decode(text, index)
        if key == "Statement":
            yield index, end
        index = _skip(text, end)


def _skip(text: str, index: int) -> int:
    while text[index] in " \t\r\n,:":
        index += 1
    return index
