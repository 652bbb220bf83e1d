"""Endpoints: created, updated, described, listed, deleted; `deployment` makes what is asked for here come true."""

from __future__ import annotations

from headrace.server.operations.endpoints.states import ENDPOINT

__all__ = ["ENDPOINT"]
