"""Predictors: trained on a dataset group, measured by backtests."""
