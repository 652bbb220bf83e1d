"""Training jobs: created, described, listed, stopped."""

from headrace.server.resources import Resource

ENDED = ("Completed", "Failed", "Stopped")
TRAINING_JOB = Resource(
    "sagemaker/training-job",
    "training job",
    "arn:{partition}:sagemaker:{region}:{account}:training-job/{lowered}",
    states={"InProgress": ("Stopping", *ENDED), "Stopping": ENDED, "Completed": (), "Failed": (), "Stopped": ()},
    lasting=frozenset({"InProgress", "Stopping"}),
)
"""A training job; its record holds what DescribeTrainingJob answers, and `lowered`, its name in lower case."""
