"""Policies: what their documents mean, and what they allow. Pure decisions: no database, no HTTP.

policy = parse_policy(text, "identity")                       # PolicyError says what is malformed
question = Question("s3:GetObject", arn, Principal.of(caller), {"aws:SourceIp": ("10.0.0.1",)})
decision = evaluate(question, PolicySet(identity=(Attached(policy, "ReadAll", "role"),)))
"""

from headrace.server.security.policy.documents import LIMITS, Policy, PolicyKind, parse_policy, policy_size
from headrace.server.security.policy.evaluation import evaluate
from headrace.server.security.policy.explanation import explain, refusal
from headrace.server.security.policy.grammar import PolicyError
from headrace.server.security.policy.names import Unresolved
from headrace.server.security.policy.questions import Attached, Decision, Match, PolicySet, Principal, Question
from headrace.server.security.policy.simulation import simulate

__all__ = [
    "LIMITS",
    "Attached",
    "Decision",
    "Match",
    "Policy",
    "PolicyError",
    "PolicyKind",
    "PolicySet",
    "Principal",
    "Question",
    "Unresolved",
    "evaluate",
    "explain",
    "parse_policy",
    "policy_size",
    "refusal",
    "simulate",
]
