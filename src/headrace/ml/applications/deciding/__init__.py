"""Deciding anew from what a run left: other costs, bounds or capacity, without training."""

from headrace.ml.applications.deciding.deciding import decide
from headrace.ml.applications.deciding.prices import merge_prices, parse_prices, read_prices
from headrace.ml.applications.deciding.request import Request, parse_bounds

__all__ = ["Request", "decide", "merge_prices", "parse_bounds", "parse_prices", "read_prices"]
