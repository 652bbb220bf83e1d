"""Declarations of single services, one module an IAM prefix; a service whose names tell everything has none."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from headrace.aws.actions.declarations import Declared


@cache
def declared(prefix: str) -> Declared:
    """Return the declarations of an IAM prefix."""
    name = f"{__name__}.{prefix.replace('-', '_')}"
    if find_spec(name) is None:
        return Declared()
    found: Declared = import_module(name).DECLARED
    return found
