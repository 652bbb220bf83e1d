"""Evidence for detectors without labels: rows made strange on purpose, and the agreement of halves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import Features, Predictions
from headrace.ml.process.progress import Progress
from headrace.ml.process.training.anomalies import Detector
from headrace.ml.process.training.turns import Turns

_TIMES = 3
_SHARE = 0.3
"""Of the time left, for all detectors; the rest is for the final fits, their evaluation and the report."""
_MOST_LEARNT, _MOST_HELD = 4_000, 400


def compare(learnt: Features, held: Features, names: Sequence[str], *, seed: int, progress: Progress) -> list[Detector]:
    """Compare detectors learnt on `learnt` [rows, columns] by rows of `held` that were made strange.

    They are tried in the order given; where the time is up, those that are left are not.
    """
    from headrace.ml.process.training.anomalies.detectors import fit_detector

    random = np.random.default_rng([seed, 3])
    learnt = learnt[random.permutation(len(learnt))[:_MOST_LEARNT]]
    held = held[random.permutation(len(held))[:_MOST_HELD]]
    half = len(learnt) // 2
    import_library("sklearn.ensemble")  # or the first turn would seem long
    turns, found = Turns(progress, _SHARE), []
    while turns.taken < len(names) and turns.another():
        name = names[turns.taken - 1]
        values = []
        for turn in range(_TIMES):
            fitted = fit_detector(name, learnt, seed + turn)
            strange = plant(held, learnt, np.random.default_rng([seed, 4, turn]))
            values.append(area(fitted.score(held), fitted.score(strange)))
        one, other = (fit_detector(name, part, seed).score(held) for part in (learnt[:half], learnt[half:]))
        error = float(np.std(values, ddof=1) / np.sqrt(_TIMES))
        found.append(Detector(name, float(np.mean(values)), error, rank_correlation(one, other)))
    return found


def plant(held: Features, learnt: Features, random: np.random.Generator) -> Features:
    """Return rows of `held` made strange: half get values beyond what is usual, half values of other rows.

    Of each row a quarter of the columns change, at least one. Values beyond lie in the outer tenth of the column's
    range or up to a tenth outside of it; values of other rows are usual by themselves, but not together.
    """
    rows, columns = held.shape
    strange = held.copy()
    low, high = learnt.min(axis=0), learnt.max(axis=0)
    changed = max(1, columns // 4)
    for row in range(rows):
        places = random.permutation(columns)[:changed]
        if row % 2 or columns == 1:
            up = random.random(changed) < 0.5
            reach = (high - low)[places] * random.uniform(-0.1, 0.1, changed)
            strange[row, places] = np.where(up, high[places] + reach, low[places] - reach)
        else:
            strange[row, places] = learnt[random.integers(0, len(learnt), changed), places]
    return strange


def area(usual: Predictions, strange: Predictions) -> float:
    """Return the AUC of scores that should be larger for strange rows."""
    ranks = import_library("scipy.stats").rankdata(np.concatenate([usual, strange]))
    above = float(ranks[len(usual) :].sum()) - len(strange) * (len(strange) + 1) / 2
    return above / max(1, len(usual) * len(strange))


def rank_correlation(one: Predictions, other: Predictions) -> float:
    """Return Spearman's correlation; 0 where a score never changes."""
    found = float(import_library("scipy.stats").spearmanr(one, other).statistic)
    return found if np.isfinite(found) else 0.0
