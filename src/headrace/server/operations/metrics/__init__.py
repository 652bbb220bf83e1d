"""CloudWatch metrics: points in, statistics and expressions of them out."""
