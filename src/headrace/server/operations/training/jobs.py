"""Training jobs: created, described, listed, stopped."""
