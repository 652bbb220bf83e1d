"""The instances of an endpoint's variants: how many there are, and how many there shall be."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.server.context import Context


@dataclass(frozen=True)
class Capacity:
    """How many instances of a variant there are and are wanted, and EndpointStatus."""

    current: int
    desired: int
    status: str


def current(context: Context, endpoint_name: str, variant_name: str) -> Capacity:
    """Return the capacity of a variant; raises InvalidInput where there is no such endpoint or variant."""
    raise NotImplementedError


def set_desired_instance_count(context: Context, endpoint_name: str, variant_name: str, count: int) -> None:
    """Ask for `count` instances of a variant, as UpdateEndpointWeightsAndCapacities does.

    Raises InvalidInput where there is no such endpoint or variant, or it changes already, LimitExceeded past the quota.
    """
    raise NotImplementedError
