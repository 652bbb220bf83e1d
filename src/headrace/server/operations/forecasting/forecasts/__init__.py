"""Forecasts: made by a predictor for every item, stored so that one item is found at once."""
