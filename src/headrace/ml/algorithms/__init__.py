"""The algorithms, one file or folder each, found by name."""
