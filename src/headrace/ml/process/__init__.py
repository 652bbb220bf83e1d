"""The nine steps from a business goal to a decision."""
