"""Deciding anew from what a run left: other costs, bounds or capacity, without training."""

from headrace.ml.applications.deciding.deciding import decide
from headrace.ml.applications.deciding.request import Request, parse_bounds

__all__ = ["Request", "decide", "parse_bounds"]
