"""Serves models: a process for each container of each instance, on private Unix sockets."""

from headrace.server.model_server.contract import (
    Container,
    InstanceGone,
    Invocation,
    ModelFailed,
    ModelTimeout,
    NotSoon,
    Reply,
)
from headrace.server.model_server.instances import Instance
from headrace.server.model_server.server import ModelServer

__all__ = [
    "Container",
    "Instance",
    "InstanceGone",
    "Invocation",
    "ModelFailed",
    "ModelServer",
    "ModelTimeout",
    "NotSoon",
    "Reply",
]
