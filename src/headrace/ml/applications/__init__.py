"""Whole answers built of the rest of the library."""
