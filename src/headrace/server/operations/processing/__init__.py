"""Processing jobs: a user's script, or the model monitor, over objects of S3."""
