"""The compiled loops of the models that look at one series at a time; importing its modules imports numba."""
