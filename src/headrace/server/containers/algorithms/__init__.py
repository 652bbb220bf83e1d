"""AWS's built-in algorithms, and the image of Headrace's own models, one file or folder each."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.server.containers.algorithms.catboost import CatBoost
from headrace.server.containers.algorithms.deepar import DeepAR
from headrace.server.containers.algorithms.headrace import Headrace
from headrace.server.containers.algorithms.k_means import KMeans
from headrace.server.containers.algorithms.k_nearest_neighbors import KNearestNeighbors
from headrace.server.containers.algorithms.lightgbm import LightGBM
from headrace.server.containers.algorithms.linear_learner import LinearLearner
from headrace.server.containers.algorithms.principal_component_analysis import PrincipalComponentAnalysis
from headrace.server.containers.algorithms.random_cut_forest import RandomCutForest
from headrace.server.containers.algorithms.xgboost import XGBoost
from headrace.server.containers.contract import BuiltIn

ALGORITHMS: Mapping[str, BuiltIn] = {
    **{
        image.name: image
        for image in (
            XGBoost(),
            LinearLearner(),
            KNearestNeighbors(),
            KMeans(),
            PrincipalComponentAnalysis(),
            RandomCutForest(),
            LightGBM(),
            CatBoost(),
            DeepAR(),
            Headrace(),
        )
    },
    **{f"{kind.name}-{task}": kind(task) for kind in (LightGBM, CatBoost) for task in ("classification", "regression")},
}
"""Every built-in image, by its name; JumpStart's algorithms also with the task that a model's name says."""
