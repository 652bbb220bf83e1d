"""Training without a label: scores of how strange a row is, and from which score on it is called an anomaly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from headrace.ml.contract import Form, Predictions, View
from headrace.ml.process.feature_engineering.unlabelled import UnlabelledFeatures
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.progress import Progress

if TYPE_CHECKING:
    from headrace.ml.process.training.anomalies.detectors import FittedDetector

CONTAMINATION = 0.01
"""The share of rows called anomalies where none is asked for."""
ENSEMBLE = "both"
_MOST_ROWS = 20_000
_FOLDS = 2


@dataclass(frozen=True)
class Detector:
    """One detector and the evidence for it on rows it did not learn from.

    `planted_auc` is how well it tells real rows from rows made strange on purpose, `planted_error` the standard
    error of that over repetitions; `stability` is the rank correlation of the scores of detectors learnt from halves.
    """

    algorithm: str
    planted_auc: float
    planted_error: float
    stability: float
    chosen: bool = False


@dataclass(frozen=True)
class AnomalyMember:
    """A fitted detector as the compiler takes it."""

    form: Form
    view: View = View.SCALED
    weight: float = 1.0


@dataclass(frozen=True)
class AnomalyDetection:
    """What was compared, what was chosen and why, the final detector and its threshold.

    The final detector is learnt on training and validation rows. `threshold` is the score that the share
    `contamination` of these rows lies above, each scored by a detector that did not see it: `held_out` [rows] are
    those scores, in the order of the training and then the validation part. `window` is how many values of a series a
    row holds, 1 for a table.
    """

    candidates: tuple[Detector, ...]
    reason: str
    detector: FittedDetector
    members: tuple[AnomalyMember, ...]
    threshold: float
    contamination: float
    held_out: Predictions
    window: int
    notes: tuple[str, ...]

    @property
    def chosen(self) -> Detector:
        """The detector that was chosen."""
        return next(candidate for candidate in self.candidates if candidate.chosen)


def find_anomalies(
    preparation: Preparation,
    engineering: UnlabelledFeatures,
    *,
    contamination: float | None,
    window: int,
    seed: int,
    progress: Progress,
) -> AnomalyDetection:
    """Compare isolation forest, random cut forest and both together without labels, and fit the better.

    Evidence: planted anomalies and the agreement of halves. Of detectors within a standard error, the one that serves
    faster is kept: an isolation forest before a random cut forest before both.
    """
    from headrace.ml.process.training.anomalies.detectors import fit_detector, names_of
    from headrace.ml.process.training.anomalies.planting import compare
    from headrace.ml.process.training.clusters.evidence import quiet

    share = CONTAMINATION if contamination is None else contamination
    learnt = np.concatenate([preparation.train, preparation.validation])
    matrix = engineering.matrix
    random = np.random.default_rng(seed)
    names, notes = names_of(matrix.shape[1])
    with quiet():
        progress.tell("planting anomalies to compare detectors by")
        train, validation = matrix[preparation.train], matrix[preparation.validation]
        compared = compare(train, validation, names, seed=seed, progress=progress)
        chosen, reason = choose_detector(compared)
        progress.tell("scoring every row by a detector that did not see it")
        held_out = np.empty(len(learnt))
        fold = random.permutation(len(learnt)) % _FOLDS
        for k in range(_FOLDS):
            rows = learnt[fold != k]
            rows = rows[random.permutation(len(rows))[:_MOST_ROWS]]
            held_out[fold == k] = fit_detector(chosen, matrix[rows], seed + k).score(matrix[learnt[fold == k]])
        rows = learnt[np.sort(random.permutation(len(learnt))[:_MOST_ROWS])]
        detector = fit_detector(chosen, matrix[rows], seed)
    if untried := names[len(compared) :]:
        notes = (*notes, f"The time was up before these were tried: {', '.join(map(_words, untried))}.")
    if len(rows) < len(learnt):
        notes = (*notes, f"Learnt from a random sample of {len(rows):,} of {len(learnt):,} rows.")
    return AnomalyDetection(
        candidates=tuple(replace(c, chosen=c.algorithm == chosen) for c in compared),
        reason=reason,
        detector=detector,
        members=tuple(AnomalyMember(form) for form in detector.forms),
        threshold=float(np.float32(np.quantile(held_out, 1 - share, method="higher"))),
        contamination=share,
        held_out=held_out,
        window=window,
        notes=notes,
    )


def choose_detector(compared: list[Detector]) -> tuple[str, str]:
    """Return the first detector within a standard error of the best, and why."""
    best = max(compared, key=lambda c: c.planted_auc)
    order = sorted(compared, key=lambda c: ("isolation_forest", "random_cut_forest", ENSEMBLE).index(c.algorithm))
    chosen = next(c for c in order if c.planted_auc >= best.planted_auc - best.planted_error)
    others = ", ".join(
        f"{_words(c.algorithm)} {c.planted_auc:.3f}" for c in compared if c.algorithm != chosen.algorithm
    )
    against = f" against {others}" if others else ""
    return chosen.algorithm, (
        f"{_words(chosen.algorithm).capitalize()}: it tells rows made strange on purpose from real ones with an AUC of "
        f"{chosen.planted_auc:.3f}{against}; learnt from two halves, its scores agree by {chosen.stability:.2f} (rank "
        "correlation)."
    )


def _words(algorithm: str) -> str:
    return "both forests together" if algorithm == ENSEMBLE else algorithm.replace("_", " ")
