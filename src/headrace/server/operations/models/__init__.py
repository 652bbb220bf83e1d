"""Models: their containers and where their data lie."""
