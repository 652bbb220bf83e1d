"""Models: created, described, listed, deleted."""
