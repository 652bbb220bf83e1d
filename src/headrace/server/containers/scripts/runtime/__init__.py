"""Runs inside the sandbox, in the user's environment: only the standard library is there for sure."""
