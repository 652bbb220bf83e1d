"""Monitoring a model in use: what drifted, what that did to its performance, and whether to retrain."""
