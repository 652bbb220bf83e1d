"""Monitors: how a predictor's errors change as new data comes in."""
