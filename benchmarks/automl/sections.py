"""The benchmark's sections of RESULTS.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.automl.__main__ import key_of, work_folder
from benchmarks.automl.comparison import Gap, compare, pool
from benchmarks.automl.systems import SYSTEMS, System
from benchmarks.automl.tables import TABLES, Table, truth
from benchmarks.environments import peers_folder

Render = Callable[[list[str], list[list[object]]], str]
OURS = "headrace"
TEXT = (
    "`make bench-automl DATA=FOLDER` (`python -m benchmarks.automl`; the short profile: `make bench-automl SHORT=1`). Every system in an environment of its own, on the same "
    "80/20 splits, with {wall:g} s of wall time on two cores ({budget:g} processor seconds); *headrace* is the whole `headrace run`, nine steps and report inside the budget, "
    "*headrace, half* the same with half of it. Processor seconds and the peak of memory (proportional set sizes of all processes) are those of learning, start included. Skill is the share of the way from knowing only the target's distribution to perfection (2 AUC - 1; one less log loss by entropy; one less RMSE by standard deviation); "
    "*ahead* is Headrace's skill (*half ahead*: that of half the budget) less the other's in points of a hundred with its 95 % interval (paired bootstrap of the test rows, 2,000 resamples)."
)


def sections(rows: dict[str, Any], render: Render) -> list[str]:
    """Return Markdown sections, one a budget: the pooled comparison, then every table."""
    parts: list[str] = []
    for budget in sorted({float(key.split("/")[0]) for key in rows.get("runs", {})}):
        parts += _of_budget(rows, budget, render)
    return parts


def _of_budget(rows: dict[str, Any], budget: float, render: Render) -> list[str]:
    lines: list[list[object]] = []
    pooled: dict[str, list[np.ndarray]] = {system.name: [] for system in SYSTEMS}
    pooled_half: dict[str, list[np.ndarray]] = {system.name: [] for system in SYSTEMS}
    for table in TABLES:
        for system in SYSTEMS:
            found = [(seed, rows["runs"].get(key_of(budget, table, seed, system))) for seed in range(3)]
            runs = [(seed, run) for seed, run in found if run is not None]
            if not runs:
                continue
            done = [(seed, run) for seed, run in runs if "score" in run]
            gaps, half = (
                [each for seed, _ in done if (each := _differences(rows, budget, table, seed, own, system)) is not None]
                for own in SYSTEMS[:2]
            )
            pooled[system.name] += gaps
            pooled_half[system.name] += half
            lines.append(_line(table, system, [run for _, run in done], len(runs), pool(gaps) if gaps else None))
    compared: list[list[object]] = [
        [system.name, len(gaps), str(pool(gaps)), *_ahead(pooled_half[system.name]), *_costs(rows, budget, system)]
        for system in SYSTEMS
        if (gaps := pooled[system.name])
    ]
    headings = [
        "system",
        "tables x seeds",
        "headrace ahead",
        "half ahead",
        "processor s",
        "peak MB",
        "one row ms",
        "rows/s",
        "model MB",
        "import s",
    ]
    detail = [
        "table",
        "system",
        "metric",
        "score",
        "headrace ahead",
        "wall s",
        "CPU s",
        "peak MB",
        "one row ms",
        "rows/s",
        "MB",
        "load",
    ]
    return [
        f"## AutoML beside peers, {budget:g} processor seconds",
        TEXT.format(wall=budget / 2, budget=budget),
        render(headings, compared),
        "Every table (means over the seeds that were run):",
        render(detail, lines),
    ]


def _ahead(gaps: list[np.ndarray]) -> list[str]:
    return [str(pool(gaps)) if gaps else ""]


def _differences(
    rows: dict[str, Any], budget: float, table: Table, seed: int, own: System, system: System
) -> np.ndarray | None:
    """Return the skill of `own` less that of `system` with its resamples, where both were run; None for ourselves."""
    ours = key_of(budget, table, seed, own)
    if system.name == own.name or "score" not in rows["runs"].get(ours, {}):
        return None
    test = peers_folder() / "automl" / "splits" / table.name / str(seed) / "test.csv"
    predictions = [np.load(work_folder(key) / "predictions.npy") for key in (ours, key_of(budget, table, seed, system))]
    return compare(table.metric, truth(table, test), *predictions, seed=seed)


def _line(table: Table, system: System, runs: list[dict[str, Any]], tried: int, gap: Gap | None) -> list[object]:
    if not runs:
        return [table.name, system.name, table.metric, f"failed {tried} of {tried}", *[""] * 8]
    mean = {name: float(np.mean([run[name] or 0 for run in runs])) for name in runs[0] if _is_number(runs[0][name])}
    score = f"{mean['score']:,.0f}" if mean["score"] > 1000 else f"{mean['score']:.4f}"
    return [
        table.name, system.name, table.metric, score, "" if gap is None else str(gap),
        f"{mean['fit_seconds']:.0f}", f"{mean['cpu_seconds']:.0f}", f"{mean['peak_mb']:,.0f}", f"{mean['single_ms']:.3f}",
        f"{mean['rows_per_second']:,.0f}", f"{mean['model_mb']:.1f}" if mean.get("model_mb") else "", f"{mean['load']:.1f}",
    ]  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _costs(rows: dict[str, Any], budget: float, system: System) -> list[object]:
    """Return medians over all runs of a system at a budget."""
    runs = [
        run
        for key, run in rows["runs"].items()
        if key.startswith(f"{budget:g}/") and key.rpartition("/")[2] == system.name and "score" in run
    ]

    def median(name: str) -> float:
        return float(np.median([run[name] for run in runs if run.get(name)] or [np.nan]))

    size = median("model_mb")
    return [
        f"{median('cpu_seconds'):.0f}", f"{median('peak_mb'):,.0f}", f"{median('single_ms'):.3f}", f"{median('rows_per_second'):,.0f}",
        "" if np.isnan(size) else f"{size:.1f}", f"{rows['imports'].get(system.name, float('nan')):.2f}",
    ]  # fmt: skip
