"""`--join` at prediction: the tables that a model was trained with, joined in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace.ml.prediction.model import Model
    from headrace.ml.tables.table import Table


def join_for_model(model: Model, table: Table, joins: Sequence[str]) -> Table:
    """Join the given tables as the model's manifest says; `InputError` names one that is missing or surplus."""
    plans = model.manifest.joins
    if not plans and not joins:
        return table
    from headrace.ml.tables import read_table
    from headrace.ml.tables.joining import apply_join, match_requests, parse_join

    for plan, request in match_requests(plans, [parse_join(join) for join in joins]):
        table, _ = apply_join(table, plan, read_table(request.source))
    return table
