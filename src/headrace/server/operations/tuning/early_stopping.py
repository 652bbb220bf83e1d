"""Early stopping: which trials are unlikely to get better than those before, by what their logs tell so far.

The median rule (Golovin et al., Google Vizier, 2017; AWS page: "Stop Training Jobs Early"). The histories are read from
the jobs' logs and kept in memory only: after a restart they are read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from headrace.server.context import Platform
from headrace.server.jobs.queue import log_of
from headrace.server.operations.training.metrics import Metrics
from headrace.server.operations.tuning.trials import Objective, Trial, trials_of
from headrace.server.resources import Stored, by_arn
from headrace.server.stores.metadata import MetadataStore

FEWEST = 3
"""Completed trials that must have come as far before one is compared with them."""
LINES = 10_000
"""Lines that are read of a log at once."""


@dataclass
class History:
    """The values of the objective in the log of a training job, in their order, of its latest attempt."""

    pattern: tuple[str, str]
    line: int = 0
    attempt: int = 0
    values: list[float] = field(default_factory=list)
    whole: bool = False

    def read(self, connection: Connection, job: int) -> None:
        """Read on where the last reading ended."""
        while lines := log_of(connection, job, start=self.line, limit=LINES):
            metrics = Metrics([self.pattern], lambda: 0)
            for each in lines:
                if each.attempt != self.attempt:
                    metrics, self.attempt, self.values = Metrics([self.pattern], lambda: 0), each.attempt, []
                metrics.read(each.text)
            self.values += metrics.taken(self.pattern[0])
            self.line = lines[-1].line + 1


_histories: WeakKeyDictionary[MetadataStore, dict[str, History]] = WeakKeyDictionary()


def hopeless(platform: Platform, connection: Connection, stored: Stored) -> set[str]:
    """Return the ARNs of the trials that run and are to be stopped early; none where the job does not ask for it."""
    if stored.record["config"]["training_job_early_stopping_type"] != "Auto":
        return set()
    objective, trials = Objective.of(stored.record["config"]), trials_of(stored)
    kept = _histories.setdefault(platform.metadata, {})
    before = [_read(connection, stored, trial, kept).values for trial in trials if trial.state == "Completed"]
    if len(before) < FEWEST:
        return set()
    return {
        trial.arn
        for trial in trials
        if not trial.is_over
        and is_hopeless(_read(connection, stored, trial, kept).values, before, maximize=objective.maximize)
    }


def forget(platform: Platform, trials: Sequence[Trial]) -> None:
    """Drop the histories of trials."""
    kept = _histories.get(platform.metadata, {})
    for trial in trials:
        kept.pop(trial.arn, None)


def is_hopeless(values: Sequence[float], before: Sequence[Sequence[float]], *, maximize: bool) -> bool:
    """Tell whether the latest of a trial's values is worse than the median of the averages of others up to there.

    >>> is_hopeless([9, 8], [[5, 3, 2], [6, 4], [9, 7, 5], [1]], maximize=False)
    True
    >>> is_hopeless([9, 5], [[5, 3, 2], [6, 4], [9, 7, 5], [1]], maximize=False)
    False
    """
    count = len(values)
    averages = [sum(each[:count]) / count for each in before if len(each) >= count > 0]
    if len(averages) < FEWEST:
        return False
    middle = median(averages)
    return values[-1] < middle if maximize else values[-1] > middle


def _read(connection: Connection, stored: Stored, trial: Trial, kept: dict[str, History]) -> History:
    """Return the history of a trial up to now; an empty one where its training job was deleted before it was read."""
    history = kept.get(trial.arn)
    if history is None:
        metric = Objective.of(stored.record["config"]).metric
        definitions = stored.record["definition"]["algorithm_specification"]["metric_definitions"]
        pattern = next(each["regex"] for each in definitions if each["name"] == metric)
        history = kept[trial.arn] = History((metric, pattern))
    if not history.whole:
        history.whole = trial.is_over
        if job := by_arn(connection, trial.arn):
            history.read(connection, job.record["job"])
    return history
