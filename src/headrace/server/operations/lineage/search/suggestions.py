"""Suggestions of property names: hyperparameters, parameters, metrics and tags that resources have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.server.context import Context
from headrace.server.operations.lineage.search.records import SEARCHED
from headrace.server.operations.lineage.search.searching import found

SUGGESTED = {"hyper_parameters": "HyperParameters", "parameters": "Parameters", "metrics": "Metrics", "tags": "Tags"}
MOST_SUGGESTIONS = 100


def get_search_suggestions(
    context: Context, *, resource: str, suggestion_query: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return names that begin with a hint and that resources have, in any case. AWS page: GetSearchSuggestions."""
    hint = ((suggestion_query or {}).get("property_name_query") or {}).get("property_name_hint") or ""
    searched = SEARCHED.get(resource)
    names = {
        f"{title}.{key}"
        for _, _, known in (found(context, searched) if searched else ())
        for member, title in SUGGESTED.items()
        for key in known.get(member) or ()
    }
    chosen = sorted(name for name in names if name.lower().startswith(hint.lower()))
    return {"property_name_suggestions": [{"property_name": name} for name in chosen[:MOST_SUGGESTIONS]]}
