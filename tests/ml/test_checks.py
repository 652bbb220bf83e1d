"""Every algorithm passes the conformance suite, and the suite finds what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headrace.ml.adapters.constant import Constant
from headrace.ml.algorithms import ALGORITHMS
from headrace.ml.algorithms.baseline import Baseline
from headrace.ml.checks import CHECKS, Check, check_algorithm
from headrace.ml.contract import Features, Fitted, Target, Task

CASES = [(name, task) for name in ALGORITHMS for task in sorted(ALGORITHMS[name].tasks)]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize(("name", "task"), CASES)
def test_algorithm_conforms(name: str, task: Task, check: Check) -> None:
    algorithm = ALGORITHMS[name]
    if not algorithm.available():
        pytest.skip(f"{algorithm.module} is not installed")
    check(algorithm, task)


class _Wrong(Baseline):
    """Predicts what its form does not.

    >>> 1 + 1
    2
    """

    def fit_library(self, features: Features, target: Target, classes: int, validation: Any) -> Fitted:
        fitted = super().fit_library(features, target, classes, validation)
        assert isinstance(fitted.form, Constant)
        return Fitted(Constant(fitted.form.values[::-1].copy()), fitted.predict, {})


class _Forgetful(Baseline):
    """Takes no missing values, and forgets to say so.

    >>> 1 + 1
    2
    """

    def fit_library(self, features: Features, target: Target, classes: int, validation: Any) -> Fitted:
        fitted = super().fit_library(features, target, classes, validation)

        def predict(rows: Features) -> Any:
            answer = fitted.predict(rows)
            answer[np.isnan(rows).any(axis=1)] = np.nan
            return answer

        return Fitted(fitted.form, predict, {})


@pytest.mark.parametrize(("algorithm", "sentence"), [(_Wrong, "ONNX differs"), (_Forgetful, "not finite")])
def test_suite_names_what_is_wrong(algorithm: type[Baseline], sentence: str) -> None:
    with pytest.raises(AssertionError, match=f"baseline, binary, check_.*{sentence}"):
        check_algorithm(algorithm)
