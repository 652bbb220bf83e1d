"""AutoML jobs: the nine steps on the server."""
