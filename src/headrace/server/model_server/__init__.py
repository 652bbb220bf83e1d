"""Serves models: a process for each container of each instance, on private Unix sockets."""

from headrace.server.model_server.contract import (
    Container,
    InstanceGone,
    Invocation,
    ModelFailed,
    ModelTimeout,
    Reply,
)

__all__ = ["Container", "InstanceGone", "Invocation", "ModelFailed", "ModelServer", "ModelTimeout", "Reply"]


class ModelServer:
    """The instances that serve on this machine, by the name of what they serve."""
