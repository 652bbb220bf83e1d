"""Joining other tables to the main one: as columns, or as aggregates that do not look into the future."""

from headrace.ml.tables.joining.learning import learn_joins
from headrace.ml.tables.joining.plan import Joined, JoinPlan, read_plan
from headrace.ml.tables.joining.repeating import apply_join, match_requests
from headrace.ml.tables.joining.specification import JoinRequest, parse_join

__all__ = [
    "JoinPlan",
    "JoinRequest",
    "Joined",
    "apply_join",
    "learn_joins",
    "match_requests",
    "parse_join",
    "read_plan",
]
