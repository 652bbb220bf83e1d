"""The one door to botocore's service models, loaded on first use."""

from headrace.aws.specification.catalogue import metadata, names, service
from headrace.aws.specification.constraints import Violation, violations
from headrace.aws.specification.operations import Operation, Specification
from headrace.aws.specification.plain import UnknownMemberError, from_plain, to_plain
from headrace.aws.specification.shapes import Shape, snake_case

__all__ = [
    "Operation",
    "Shape",
    "Specification",
    "UnknownMemberError",
    "Violation",
    "from_plain",
    "metadata",
    "names",
    "service",
    "snake_case",
    "to_plain",
    "violations",
]
