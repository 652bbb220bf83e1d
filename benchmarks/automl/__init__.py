"""Headrace beside AutoGluon, FLAML, H2O and mljar: the same splits and budget, in turns, in one run."""
