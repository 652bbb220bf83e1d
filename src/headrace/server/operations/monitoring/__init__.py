"""Monitoring of endpoints: job definitions, schedules, and what their executions found."""
