"""Models: created, described, listed, deleted."""

from __future__ import annotations

from headrace.server.resources import Resource

MODEL = Resource("sagemaker/model", "model", "arn:{partition}:sagemaker:{region}:{account}:model/{lowered}")
"""A model; its record holds what DescribeModel answers, `deployed`, its containers with nothing left to look up (those
of a model package are its own), and `lowered`, its name in lower case.
"""
