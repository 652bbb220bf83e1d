"""The library: data in, models and decisions out."""
