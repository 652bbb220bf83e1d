"""One module a service, named after botocore's; a module holds only what cannot be generic.

`BUILT` names them; a module is imported when its service is first called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from sqlalchemy import Connection

from headrace.aws import specification
from headrace.server.errors import OperationError
from headrace.server.messages import Request, Response

BUILT = (
    "application-autoscaling", "cloudtrail", "cloudwatch", "forecast", "forecastquery", "iam", "logs",
    "resourcegroupstaggingapi", "s3", "sagemaker", "sagemaker-metrics", "sagemaker-runtime", "sts",
)  # fmt: skip

OPERATIONS = "headrace.server.operations."


@dataclass(frozen=True)
class Service:
    """How one AWS service stands in front of server/operations.

    An operation `CreateRole` is built when one of `modules` has a public function `create_role(context, *, …)`; its
    parameters and answer are the members of botocore's shapes in snake_case.

    `errors` maps kinds of error to this service's codes, where they differ from the door's defaults; `data_events`
    names operations that are data events, not management ones; `anonymous` those that unsigned callers may try; `soon`
    those that may be answered in the event loop.

    Where the wire has more than the model says, these see it: `prepare(operation, request, parameters) -> parameters`
    before the checks, `digests(operation, parameters)` names further digests of a streaming body,
    `finish(operation, request, parameters, answer, response) -> response` after rendering, `finish_error(request,
    error, response) -> response` likewise, and `cross_origin(connection, request, labels)` gives the headers that let
    a browser's page of another origin read the answer.
    """

    name: str
    modules: tuple[ModuleType, ...]
    errors: Mapping[type[OperationError], str] = field(default_factory=dict)
    data_events: frozenset[str] = frozenset()
    anonymous: frozenset[str] = frozenset()
    soon: frozenset[str] = frozenset()
    prepare: Callable[[str, Request, dict[str, Any]], dict[str, Any]] | None = None
    digests: Callable[[str, Mapping[str, Any]], tuple[str, ...]] | None = None
    finish: Callable[[str, Request, Mapping[str, Any], Mapping[str, Any], Response], Response] | None = None
    finish_error: Callable[[Request, Exception, Response], Response] | None = None
    cross_origin: Callable[[Connection, Request, Mapping[str, str]], Mapping[str, str]] | None = None

    def operation(self, function: str) -> Callable[..., Any] | None:
        """Return the operation named `function` ("create_role"), or None while it is not built."""
        found = (vars(module).get(function) for module in self.modules)
        return next((each for each in found if callable(each) and each.__module__.startswith(OPERATIONS)), None)


@dataclass(frozen=True)
class Coverage:
    """Which operations of a service's model are built, and which are not, by name."""

    service: str
    built: list[str]
    missing: list[str]


def coverage_of(name: str) -> Coverage:
    """Return what is built of the service that botocore calls `name`."""
    found = service(name)
    functions = specification.service(name).functions
    built = [operation for function, operation in functions.items() if found and found.operation(function)]
    return Coverage(name, sorted(built), sorted(set(functions.values()) - set(built)))


@cache
def service(name: str) -> Service | None:
    """Return the service that botocore calls `name`, or None while none of it is built."""
    if name not in BUILT:
        return None
    module = import_module(f"headrace.aws.services.{name.replace('-', '_')}")
    found: Service = module.SERVICE
    return found
