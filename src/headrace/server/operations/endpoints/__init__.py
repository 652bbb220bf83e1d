"""Endpoints: their configurations, their deployment, and what they answer."""
