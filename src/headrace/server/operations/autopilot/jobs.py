"""AutoML jobs: created, described, listed, stopped."""
