"""Explainability: how much each attribute moves a predictor's forecasts."""
