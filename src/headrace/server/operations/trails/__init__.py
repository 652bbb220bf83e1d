"""CloudTrail: trails, what they select, what they deliver, and looking events up."""
