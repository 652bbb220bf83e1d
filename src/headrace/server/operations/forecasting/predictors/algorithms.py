"""The algorithms of CreatePredictor, and the models of the library that they are."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.server.errors import InvalidInput

ALGORITHMS: Mapping[str, str] = {
    "ARIMA": "arima",
    "CNN-QR": "cnn_qr",
    "Deep_AR_Plus": "deepar",
    "ETS": "ets",
    "NPTS": "npts",
    "Prophet": "additive",
}
"""The library's models by the names at the end of AWS's algorithm ARNs."""

TUNED = frozenset({"CNN-QR", "Deep_AR_Plus"})
"""The algorithms that PerformHPO may be asked of."""

QUICK = ("ARIMA", "ETS", "NPTS", "Prophet")
"""What the AutoML strategy LatencyOptimized tries."""


def algorithm_named(arn: str) -> str:
    """Return the name at the end of an algorithm's ARN; raises InvalidInput on one that is no algorithm of Forecast.

    >>> algorithm_named("arn:aws:forecast:::algorithm/Deep_AR_Plus")
    'Deep_AR_Plus'
    """
    prefix, _, name = arn.rpartition("/")
    if name not in ALGORITHMS or not prefix.endswith(":forecast:::algorithm"):
        known = ", ".join(f"arn:aws:forecast:::algorithm/{each}" for each in ALGORITHMS)
        raise InvalidInput(f"The algorithm {arn} is not supported; use one of {known}")
    return name


def algorithm_arn(model: str, partition: str) -> str | None:
    """Return the ARN under which AWS knows a model of the library, None for one that it does not have."""
    name = next((name for name, own in ALGORITHMS.items() if own == model), None)
    return None if name is None else f"arn:{partition}:forecast:::algorithm/{name}"
