"""Transform jobs: created, described, listed, stopped."""
