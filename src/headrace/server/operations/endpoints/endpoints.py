"""Endpoints: created, updated, described, listed, deleted."""
