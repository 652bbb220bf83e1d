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

from headrace.server.errors import OperationError

BUILT = ("cloudtrail", "cloudwatch", "iam", "logs", "resourcegroupstaggingapi", "s3", "sts")


@dataclass(frozen=True)
class Service:
    """How one AWS service stands in front of server/operations.

    An operation `CreateRole` is built when one of `modules` has a public function `create_role(context, *, …)`; its
    parameters and answer are the members of botocore's shapes in snake_case.

    `errors` maps kinds of error to this service's codes, where they differ from the door's defaults; `secret` names
    members that the audit trail leaves out (beside those that botocore marks sensitive); `data_events` names operations
    that are data events, not management ones; `anonymous` those that unsigned callers may try; `adapt` changes
    parameters or answers of single operations where the wire has more than the model says.
    """

    name: str
    modules: tuple[ModuleType, ...]
    errors: Mapping[type[OperationError], str] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()
    data_events: frozenset[str] = frozenset()
    anonymous: frozenset[str] = frozenset()

    def operation(self, function: str) -> Callable[..., Any] | None:
        """Return the operation named `function` ("create_role"), or None while it is not built."""
        found = (getattr(module, function, None) for module in self.modules)
        return next((each for each in found if callable(each)), None)


@cache
def service(name: str) -> Service | None:
    """Return the service that botocore calls `name`, or None while none of it is built."""
    if name not in BUILT:
        return None
    module = import_module(f"headrace.aws.services.{name}")
    found: Service = module.SERVICE
    return found
