"""The handler of training jobs: sets what must stand before libraries load, and lets the attempt run."""

from __future__ import annotations

import os

from headrace.server.jobs.handle import Job


def run(job: Job) -> None:
    """Run a training job to its end, whatever that is; what is not foreseen is the queue's to try again."""
    share_processors(job.platform.settings.jobs)
    from headrace.server.operations.training.attempts import attempt

    attempt(job)


def share_processors(parallel: int) -> None:
    """Let the libraries that are not loaded yet use no more threads than a job's share of the processors."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, str(max(1, cores // max(1, parallel))))
