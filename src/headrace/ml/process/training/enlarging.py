"""The final fit of a table too large for the memory: as many rows beyond the sample as time and memory allow."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.ml.process.training.matrices import Matrices, extend_matrices
from headrace.ml.process.training.setting import Setting
from headrace.ml.process.training.trial import Trial

WORTHWHILE = 0.1
"""Fewer more rows than this share of the sample are not worth the reading."""
MEMORY = 2**31
"""Bytes that the fits which run side by side may take together."""
MAPPED = 4
"""Bytes of a cell in the file that they all map."""
BYTES_A_CELL = {
    "gradient_boosting_lightgbm": 9,
    "gradient_boosting_xgboost": 14,
    "gradient_boosting_catboost": 12,
    "linear_logistic": 12,
    "linear_square": 12,
}
"""What a fit is reckoned to take beside it: bins and gradients, or a copy as well. LightGBM took that on 293,000 rows
of 77 features; the others are on the safe side."""
UNKNOWN = 16


def enlarge(setting: Setting, final: Matrices | None, members: Sequence[Trial]) -> tuple[Matrices | None, str]:
    """Return the matrices of the final fit with more rows where there are some, and a note on them.

    Members that were fitted on a sample of the fold keep to one: then nothing is gained.
    """
    rest = setting.preparation.rest
    if rest is None or final is None or _sampled(setting, members):
        return final, ""
    count = min(rest.rows, by_memory(final, members), by_time(setting, final, members))
    if count < WORTHWHILE * len(final.fit):
        return (
            final,
            f"the final fit read no more rows of the file than the sample's {len(final.fit):,}: {_why(setting)}",
        )
    setting.timetable.progress.tell(f"reading up to {count:,} more rows for the final fit")
    views = sorted({trial.algorithm.view for trial in members})
    began = setting.timetable.left()
    larger = extend_matrices(
        setting.workspace, final, rest.blocks(), most=count, views=views, classes=setting.classes, seed=setting.seed,
        until=lambda: setting.timetable.left() < began / 2,
    )  # fmt: skip
    fitted, known = len(larger.fit) + larger.more, len(larger.fit) + rest.rows
    return larger, f"the final fit learnt from {fitted:,} of {known:,} rows, read from the file in blocks"


def _why(setting: Setting) -> str:
    return "neither time nor memory allowed it" if setting.timetable.progress.budget else "the memory did not allow it"


def _sampled(setting: Setting, members: Sequence[Trial]) -> bool:
    first = len(setting.folds[0].fit)
    everything = len(setting.preparation.train) + len(setting.preparation.validation)
    return len(setting.final_rows) < everything or any(
        trial.rows is not None and trial.rows < first for trial in members
    )


def by_memory(final: Matrices, members: Sequence[Trial]) -> int:
    """Return how many more rows the memory allows, two members being fitted side by side."""
    bytes_a_row = sorted(
        BYTES_A_CELL.get(trial.algorithm.name, UNKNOWN) * final.columns[trial.algorithm.view] for trial in members
    )
    mapped = MAPPED * sum({trial.algorithm.view: final.columns[trial.algorithm.view] for trial in members}.values())
    return max(0, MEMORY // max(1, mapped + sum(bytes_a_row[-2:])) - len(final.fit))


def by_time(setting: Setting, final: Matrices, members: Sequence[Trial]) -> int:
    """Return how many more rows the time left pays: their reading, and the members' fits by what those took so far."""
    left = setting.timetable.left()
    if left == float("inf"):
        return 2**62
    cores = setting.timetable.cores
    seconds = [
        max(result["seconds"] / max(1, result["rows"]) for result in trial.results.values()) for trial in members
    ]
    fit = max(*seconds, sum(seconds) / cores) if len(seconds) > 1 else seconds[0]
    spare = 0.8 * left - fit * len(final.fit)
    return max(0, int(spare / (fit + 2.0 * setting.seconds_a_row)))
