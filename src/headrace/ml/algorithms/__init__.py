"""The learning algorithms by name; each is imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from headrace.ml.contract import Algorithm, Task
from headrace.ml.errors import OptionError

_CLASSES = {
    "baseline": "Baseline",
    "linear_square": "LinearSquare",
    "linear_hinge": "LinearHinge",
    "linear_logistic": "LinearLogistic",
    "naive_bayes": "NaiveBayes",
    "support_vector_machine": "SupportVectorMachine",
    "k_nearest_neighbors": "KNearestNeighbors",
    "decision_tree": "DecisionTree",
    "random_forest": "RandomForest",
    "extra_trees": "ExtraTrees",
    "gradient_boosting_lightgbm": "GradientBoostingLightGBM",
    "gradient_boosting_xgboost": "GradientBoostingXGBoost",
    "gradient_boosting_catboost": "GradientBoostingCatBoost",
    "neural_network": "NeuralNetwork",
    "neural_network_realmlp": "NeuralNetworkRealMLP",
}


class _Registry(Mapping[str, type[Algorithm]]):
    """Algorithm classes by name: a file of this folder each, imported on first access."""

    def __getitem__(self, name: str) -> type[Algorithm]:
        class_name = _CLASSES[name]
        algorithm: type[Algorithm] = getattr(importlib.import_module(f"{__name__}.{name}"), class_name)
        return algorithm

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


ALGORITHMS: Mapping[str, type[Algorithm]] = _Registry()


def find_algorithm(name: str) -> type[Algorithm]:
    """Return the algorithm of that name; raises OptionError with the nearest name."""
    if name not in ALGORITHMS:
        from headrace.ml.tables.names import suggest  # loads what reads tables, which workers are better without

        raise OptionError(f"there is no algorithm '{name}'{suggest(name, ALGORITHMS)}")
    return ALGORITHMS[name]


def available_algorithms(task: Task) -> dict[str, type[Algorithm]]:
    """Return by name the algorithms for `task` whose libraries are installed."""
    return {name: found for name, found in ALGORITHMS.items() if task in found.tasks and found.available()}
