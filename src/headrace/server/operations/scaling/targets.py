"""What can be scaled, and within which bounds."""
