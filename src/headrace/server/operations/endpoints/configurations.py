"""Endpoint configurations: what an endpoint is to serve, created, described, listed, deleted."""

from __future__ import annotations

from headrace.server.resources import Resource

ENDPOINT_CONFIG = Resource(
    "sagemaker/endpoint-config",
    "endpoint configuration",
    "arn:{partition}:sagemaker:{region}:{account}:endpoint-config/{lowered}",
)
"""An endpoint configuration; its record holds what DescribeEndpointConfig answers, and `lowered`, its lower-case name."""
