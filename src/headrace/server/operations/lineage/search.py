"""Search over jobs, models, endpoints and experiments."""
