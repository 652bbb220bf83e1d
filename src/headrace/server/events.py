"""Transactional outbox: what happened, committed with the change itself, read later by whoever needs it.

Operations never call sideways: audit, metrics and alarms read here, each from its own position.
"""
