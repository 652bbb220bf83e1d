"""Algorithms are found by name, imported late, and describe themselves alike."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headrace.ml.algorithms import ALGORITHMS, available_algorithms, find_algorithm
from headrace.ml.contract import Task
from headrace.ml.errors import OptionError


def test_names_agree() -> None:
    assert len(ALGORITHMS) == 15
    for name, algorithm in ALGORITHMS.items():
        assert algorithm.name == name
        assert find_algorithm(name) is algorithm


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"no algorithm 'randon_forest'; did you mean 'random_forest'\?"):
        find_algorithm("randon_forest")


def test_available_by_task() -> None:
    assert "linear_square" in available_algorithms(Task.REGRESSION)
    assert "linear_square" not in available_algorithms(Task.BINARY)
    assert "naive_bayes" in available_algorithms(Task.MULTICLASS)
    assert available_algorithms(Task.FORECASTING) == {}


def test_no_library_is_imported_before_a_fit() -> None:
    program = (
        "import sys\nfrom headrace.ml.algorithms import ALGORITHMS\nlist(ALGORITHMS.values())\n"
        "heavy = ('sklearn', 'lightgbm', 'xgboost', 'catboost', 'onnx', 'onnxruntime', 'scipy')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
