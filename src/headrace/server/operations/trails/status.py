"""Starts and stops the logging of trails, and tells how their delivery goes."""

from __future__ import annotations

from typing import Any

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.operations.trails import state
from headrace.server.operations.trails.names import find_home_trail, find_trail
from headrace.server.security.audit.entry import event_time


def start_logging(context: Context, *, name: str) -> None:
    """Let a trail log, this call being its first event; raises NotFound, Conflict outside its home region."""
    stored = find_home_trail(context, name)
    running = state.state_of(context.connection, stored.arn)
    state.start(context.connection, running, context.now)
    if stored.record["log_file_validation_enabled"]:
        state.chain(context.connection, running, stored.region, context.now)


def stop_logging(context: Context, *, name: str) -> None:
    """Let a trail log no more, this call being its last event; raises NotFound, Conflict outside its home region."""
    stored = find_home_trail(context, name)
    state.stop(context.connection, state.state_of(context.connection, stored.arn), context.now)


def get_trail_status(context: Context, *, name: str) -> dict[str, Any]:
    """Tell whether a trail logs, when it last delivered, and what went wrong last; raises NotFound."""
    stored = find_trail(context, name)
    running = state.state_of(context.connection, stored.arn)
    facts = running.facts
    times = {
        "latest_delivery_time": facts.get("delivered"),
        "latest_digest_delivery_time": facts.get("digested"),
        "start_logging_time": facts.get("started"),
        "stop_logging_time": facts.get("stopped"),
    }
    answer = {name: moment(value) for name, value in times.items() if value}
    tried = facts.get("tried")
    return answer | {
        "is_logging": running.logging,
        "latest_delivery_error": facts.get("error"),
        "latest_digest_delivery_error": facts.get("digest_error"),
        "latest_delivery_attempt_time": event_time(tried // 1000) if tried else "",
        "latest_notification_attempt_time": "",
        "latest_notification_attempt_succeeded": "",
        "latest_delivery_attempt_succeeded": event_time(facts["delivered"] // 1000) if facts.get("delivered") else "",
        "time_logging_started": event_time(facts["started"] // 1000) if facts.get("started") else "",
        "time_logging_stopped": event_time(facts["stopped"] // 1000) if facts.get("stopped") else "",
    }
