"""The lines that AWS's own algorithms write to the log, and the regular expressions that find metrics in them."""

from __future__ import annotations

from headrace.server.containers.contract import Metric

LOSS, SCORE = "loss", "score"
"""Whether a metric is to fall or to rise."""


def quality_line(channel: str, name: str, value: float, better: str, epoch: int | None = None) -> str:
    """Return the line of a metric; an epoch's is told apart from the final one by its number."""
    where = "host=algo-1" if epoch is None else f"host=algo-1, epoch={epoch}"
    return f"#quality_metric: {where}, {channel} {name} <{better}>={value}"


def quality_metric(channel: str, name: str, better: str, *, each_epoch: bool = False) -> Metric:
    """Return the definition of a metric that `quality_line` writes."""
    where = r"host=\S+, epoch=\S+" if each_epoch else r"host=\S+"
    return Metric(f"{channel}:{name}", rf"#quality_metric: {where}, {channel} {name} <{better}>=(\S+)")


def progress_line(done: int, of: int) -> str:
    """Return the line that tells how far training has come."""
    return f"#progress_metric: host=algo-1, completed {100 * done // max(of, 1)} %"


PROGRESS = Metric("train:progress", r"#progress_metric: host=\S+, completed (\S+) %")
