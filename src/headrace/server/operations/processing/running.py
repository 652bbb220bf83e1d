"""The handler of processing jobs: sets what must stand before libraries load, and lets the attempt run."""

from __future__ import annotations

from headrace.server.jobs.handle import Job
from headrace.server.operations.training.running import share_processors


def run(job: Job) -> None:
    """Run a processing job to its end, whatever that is; what is not foreseen is the queue's to try again."""
    share_processors(job.platform.settings.jobs)
    from headrace.server.operations.processing.attempts import attempt

    attempt(job)
