"""The decision which families of features are made: those that earn their place in cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import View
from headrace.ml.process.feature_engineering.fitting import Family, fit_plan
from headrace.ml.process.feature_engineering.pair_search import propose_pairs
from headrace.ml.process.feature_engineering.quick_models import Fit, boosted_trees, linear_model, losses
from headrace.ml.tables.columns import Column, ColumnKind

Rows = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]

PAIRS = frozenset({"number pairs", "category pairs", "products"})
FAMILIES = {
    View.TREES: ("target encodings", "frequencies", "number pairs", "category pairs", "missing count"),
    View.SCALED: ("powers", "bins", "products", "category pairs"),
}
MODELS: dict[View, Fit] = {View.TREES: boosted_trees, View.SCALED: linear_model}

LEAST_GAIN = 1e-3
"""Of the loss; less is not worth a feature, however sure."""


@dataclass(frozen=True)
class Verdict:
    """What cross-validation says of a family: the gain in loss a row, relative to the loss without, and its error.

    Both are None for a family of pairs where no pair explains what single columns leave.
    """

    family: Family
    kept: bool
    gain: float | None
    error: float | None


@dataclass
class Trial:
    """One fold of the sample: rows to fit on, and rows to judge on."""

    fit_frame: pl.DataFrame
    fit_target: npt.NDArray[Any]
    fit_outcomes: Array
    held_frame: pl.DataFrame
    held_outcomes: Array
    residuals: dict[View, Array] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: pl.DataFrame, target: npt.NDArray[Any], outcomes: Array, fit: Rows, held: Rows) -> Trial:
        """Take the rows `fit` and `held` of a frame, its target and its outcomes."""
        return cls(frame[fit], target[fit], outcomes[fit], frame[held], outcomes[held])


@dataclass
class Judge:
    """Compares families on the same folds by the same quick models."""

    columns: Sequence[Column]
    classes: int
    imputation: str
    indicators: bool
    trials: Sequence[Trial]
    seed: int

    def decide(self, view: View, names: Sequence[str]) -> list[Verdict]:
        """Try one family after the other on top of those kept before; keep those whose gain exceeds its error."""
        kept: list[list[Family]] = [[] for _ in self.trials]
        verdicts = []
        base, residuals = self._measure(view, kept)
        everything = pl.concat([trial.held_frame for trial in self.trials])
        outcomes = np.concatenate([trial.held_outcomes for trial in self.trials])
        for name in names:
            proposals = [self._propose(name, view, trial) for trial in self.trials]
            family = self._family(name, view, everything, outcomes, residuals)
            if family is None or not any(proposals):
                verdicts.append(Verdict(Family(name, view), False, None, None))
                continue
            tried = [[*old, *([new] if new else [])] for old, new in zip(kept, proposals, strict=True)]
            measured, left = self._measure(view, tried)
            gains = base - measured
            gain, error = float(gains.mean()), float(gains.std() / np.sqrt(max(1, len(gains))))
            scale = max(float(base.mean()), 1e-12)
            earned = gain > max(error, LEAST_GAIN * scale)
            verdicts.append(Verdict(family, earned, gain / scale, error / scale))
            if earned:
                kept, base, residuals = tried, measured, left
        return verdicts

    def _family(self, name: str, view: View, frame: pl.DataFrame, outcomes: Array, residuals: Array) -> Family | None:
        if name not in PAIRS:
            return Family(name, view)
        kind = ColumnKind.CATEGORY if name == "category pairs" else ColumnKind.NUMBER
        columns = [column.name for column in self.columns if column.kind == kind]
        return propose_pairs(name, view, frame, columns, outcomes, residuals)

    def _propose(self, name: str, view: View, trial: Trial) -> Family | None:
        """Propose a family from the rows to fit on alone, by what models of one half leave of the other."""
        if name not in PAIRS:
            return Family(name, view)
        if view not in trial.residuals:
            side = np.random.default_rng(self.seed).permutation(trial.fit_frame.height) % 2
            residuals = np.empty_like(trial.fit_outcomes)
            for fit, held in ((np.flatnonzero(side == k), np.flatnonzero(side != k)) for k in (0, 1)):
                half = Trial.of(trial.fit_frame, trial.fit_target, trial.fit_outcomes, fit, held)
                residuals[held] = self._predict(view, half, ())[1]
            trial.residuals[view] = residuals
        return self._family(name, view, trial.fit_frame, trial.fit_outcomes, trial.residuals[view])

    def _measure(self, view: View, families: Sequence[Sequence[Family]]) -> tuple[Array, Array]:
        results = [self._predict(view, trial, own) for trial, own in zip(self.trials, families, strict=True)]
        return np.concatenate([loss for loss, _ in results]), np.concatenate([left for _, left in results])

    def _predict(self, view: View, trial: Trial, families: Sequence[Family]) -> tuple[Array, Array]:
        """Return losses [rows] and residuals [rows, outcomes] on the rows to judge on."""
        plan, matrices = fit_plan(
            trial.fit_frame,
            trial.fit_target,
            columns=self.columns,
            classes=self.classes,
            families=families,
            imputation=self.imputation,
            indicators=self.indicators,
            views=[view],
            seed=self.seed,
        )
        predict = MODELS[view](matrices[view], trial.fit_outcomes, self.classes > 0)
        predicted = predict(plan.transform(trial.held_frame, view))
        return losses(trial.held_outcomes, predicted, self.classes > 0), trial.held_outcomes - predicted


def sample_folds(folds: Sequence[tuple[Rows, Rows]], most: int, rows: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return at most `most` of the folds, with at most `rows` rows in all of each, drawn by `seed`."""
    drawn = []
    for fit, held in folds[:most]:
        share = min(1.0, rows / max(1, len(fit) + len(held)))
        random = np.random.default_rng(seed)
        drawn.append(
            (
                np.sort(random.permutation(fit)[: max(1, round(share * len(fit)))]),
                np.sort(random.permutation(held)[: max(1, round(share * len(held)))]),
            )
        )
    return drawn
