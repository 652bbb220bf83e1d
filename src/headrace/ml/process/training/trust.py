"""What the held-out predictions teach after the fits: calibrated probabilities, and how sure a prediction is."""

from __future__ import annotations

from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.progress import Progress
from headrace.ml.process.training import Training
from headrace.ml.process.training.calibration import calibrate
from headrace.ml.process.training.intervals import fit_intervals
from headrace.ml.process.training.prediction_sets import fit_sets


def learn_from_held_out(
    training: Training,
    preparation: Preparation,
    framing: ProblemFraming,
    *,
    coverage: float,
    seed: int,
    progress: Progress,
) -> Training:
    """Return the record with `calibration` and `conformal`, and its predictions calibrated.

    `coverage` is the share of rows that intervals and prediction sets are meant to hold. Whatever is chosen or measured
    on held-out rows afterwards, such as the threshold, is so by calibrated probabilities. On a busy machine curves are
    fitted on fewer rows, and widths that follow the features are not tried.
    """
    training = calibrate(training, preparation, framing, seed=seed, spares=progress.spares)
    training = fit_sets(training, preparation, coverage=coverage)
    return fit_intervals(training, preparation, coverage=coverage, seed=seed, spares=progress.spares)
