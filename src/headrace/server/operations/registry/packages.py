"""Model packages: versions in a group, and their approval."""
