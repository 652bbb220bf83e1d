"""What every algorithm does around its library: checks the rows and deals with targets that a library refuses."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import ClassVar

import numpy as np

from headrace.ml.adapters.constant import Constant
from headrace.ml.adapters.present_classes import PresentClasses, spread
from headrace.ml.contract import Algorithm, Features, Fitted, Predictions, Target, Task
from headrace.ml.errors import DataError

Rows = tuple[Features, Target]


class LibraryAlgorithm(Algorithm):
    """An algorithm whose library sees only targets it can learn: contiguous classes, or values that vary.

    A target with one class or one value, or features that are all constant, give a constant model; classes that no
    row has get probability 0.
    """

    fewest_rows: ClassVar[int] = 2
    """With fewer rows the answer is the mean or the class shares."""

    @abstractmethod
    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:
        """Fit; every class 0…classes-1 has rows (`classes` is 0 for regression). Warnings are silenced."""

    def fit(self, features: Features, target: Target, validation: Rows | None = None) -> Fitted:
        """Fit on `features` [rows, columns]; `validation` rows, where given, decide when to stop early."""
        features, target = self._checked(features, target)
        if validation is not None:
            validation = self._checked(*validation, columns=features.shape[1])
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if self.task is Task.REGRESSION:
                return self._fit_values(features, target, validation)
            return self._fit_classes(features, target, validation)

    def _fit_values(self, features: Features, target: Target, validation: Rows | None) -> Fitted:
        if len(target) < self.fewest_rows or not _varies(features) or np.ptp(target) == 0:
            return self.constant(np.array([target.mean()]))
        return self.fit_library(features, target, 0, validation)

    def _fit_classes(self, features: Features, target: Target, validation: Rows | None) -> Fitted:
        present, codes = np.unique(target, return_inverse=True)
        if len(target) < self.fewest_rows or not _varies(features) or len(present) == 1:
            return self.constant(np.bincount(target, minlength=self.classes) / len(target))
        if len(present) == self.classes:
            return self.fit_library(features, target, self.classes, validation)
        if validation is not None:
            known = np.isin(validation[1], present)
            validation = (validation[0][known], np.searchsorted(present, validation[1][known])) if known.any() else None
        fitted = self.fit_library(features, codes.astype(np.int64), len(present), validation)
        form = PresentClasses(fitted.form, present, self.classes)

        def predict(rows: Features) -> Predictions:
            return spread(fitted.predict(rows), present, self.classes)

        return Fitted(form, predict, fitted.hyperparameters)

    def constant(self, values: Predictions) -> Fitted:
        """Return the model that answers `values` (probabilities [classes] or one value) to every row."""

        def predict(rows: Features) -> Predictions:
            return np.full(len(rows), values[0]) if self.task is Task.REGRESSION else np.tile(values, (len(rows), 1))

        return Fitted(Constant(values), predict, dict(self.values))

    def _checked(self, features: Features, target: Target, columns: int | None = None) -> Rows:
        """Return the rows as float32, and int64 or float64; raise DataError on what can't be learnt."""
        features = np.ascontiguousarray(features, dtype=np.float32)
        target = np.asarray(target, dtype=np.float64 if self.task is Task.REGRESSION else np.int64)
        if features.ndim != 2 or target.shape != (len(features),) or not len(features):
            raise DataError(
                f"{self.name} was given features of shape {features.shape} and a target of shape {target.shape}; "
                "give [rows, columns] and [rows], with at least one row"
            )
        if columns is not None and features.shape[1] != columns:
            raise DataError(
                f"{self.name} was given validation rows with {features.shape[1]} columns; give {columns} as in training"
            )
        finite = np.isfinite(features) | (np.isnan(features) if self.takes_missing else False)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            kinds = "infinite values" if self.takes_missing else "missing or infinite values"
            raise DataError(
                f"{self.name} does not take {kinds}, and row {row + 1} has {features[row, column]} "
                f"in column {column + 1}; impute it first"
            )
        if self.task is Task.REGRESSION:
            if not np.isfinite(target).all():
                raise DataError(f"{self.name} was given a target with values that are not finite; drop those rows")
        elif target.min() < 0 or target.max() >= self.classes:
            raise DataError(
                f"{self.name} was given class codes from {target.min()} to {target.max()}; "
                f"give codes from 0 to {self.classes - 1}"
            )
        return features, target


def _varies(features: Features) -> bool:
    """Whether any column holds two different values, missing counting as one."""
    missing = np.isnan(features)
    lowest, highest = np.fmin.reduce(features), np.fmax.reduce(features)
    return bool(((lowest < highest) | (missing.any(axis=0) & ~missing.all(axis=0))).any())


def two_columns(positive: Predictions) -> Predictions:
    """Turn probabilities of class 1 [rows] into probabilities [rows, 2]."""
    return np.column_stack([1 - positive, positive])
