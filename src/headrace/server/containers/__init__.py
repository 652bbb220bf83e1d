"""AWS's images: hyperparameters, formats, replies and log lines, mapped onto the library's algorithms."""
